// Sandler et al. 2018: blocks that widen (1x1), look around (3x3, each channel for itself) and narrow (1x1) without an activation,
// around which the input goes where it has the same form. Batch normalisation is folded into the weights before it:
// w' = w · gamma / sqrt(variance + 0.001), b' = beta - mean · gamma / sqrt(variance + 0.001).
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Filter.SafetyImage;

/// <summary>The network for use alone: picture in, probabilities of five classes out. Safe for concurrent calls.</summary>
internal sealed class MobileNetV2 : IDisposable
{
    /// <summary>Width and height of what it sees, in pixels.</summary>
    public const int Side = 224;

    /// <summary>Classes: drawing, hentai, neutral, porn, sexy.</summary>
    public const int Classes = 5;

    private const int Blocks = 16;
    private const double Epsilon = 1e-3;
    private static readonly HashSet<int> Halving = [1, 3, 6, 13];

    private readonly Device device;
    private readonly List<Tensor> owned = [];
    private readonly Convolution first, widened;
    private readonly Block[] blocks;
    private readonly (Tensor Weight, Tensor Bias)[] dense;

    private sealed record Convolution(Tensor Weight, Tensor Bias, int Stride, long Groups);

    private sealed record Block(Convolution? Widen, Convolution Look, Convolution Narrow);

    /// <exception cref="UserErrorException">A weight is missing or of another form.</exception>
    public MobileNetV2(PublishedModel model, Device device)
    {
        this.device = device;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        first = Folded(model, "Conv1", "bn_Conv1", 3, stride: 2);
        long width = 16;
        blocks = new Block[Blocks + 1];
        blocks[0] = new Block(null, Depthwise(model, "expanded_conv", first.Weight.shape[0], 1), Folded(model, "expanded_conv_project", "expanded_conv_project_BN", first.Weight.shape[0]));
        for (var i = 1; i <= Blocks; i++)
        {
            var widen = Folded(model, $"block_{i}_expand", $"block_{i}_expand_BN", width);
            var look = Depthwise(model, $"block_{i}", widen.Weight.shape[0], Halving.Contains(i) ? 2 : 1);
            var narrow = Folded(model, $"block_{i}_project", $"block_{i}_project_BN", widen.Weight.shape[0]);
            blocks[i] = new Block(widen, look, narrow);
            width = narrow.Weight.shape[0];
        }
        widened = Folded(model, "Conv_1", "Conv_1_bn", width);
        width = widened.Weight.shape[0];
        dense = new (Tensor, Tensor)[3];
        for (var i = 0; i < dense.Length; i++)
        {
            var weight = model.Tensor($"dense_{i + 1}/kernel", width, null).t(); // [out, in]
            dense[i] = (Kept(weight), Kept(model.Tensor($"dense_{i + 1}/bias", weight.shape[0])));
            width = weight.shape[0];
        }
        if (width != Classes) throw new UserErrorException($"filter.safety-image: the model in '{model.Folder}' tells {width} classes apart where {Classes} are expected");
    }

    /// <summary>Probabilities of the classes; a picture of another size is resampled as nsfwjs does, corners onto corners.</summary>
    public float[] Probabilities(Picture picture)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var pixels = tensor(picture.Rgb, [picture.Height, picture.Width, 3], device: device);
        var x = pixels.permute(2, 0, 1).unsqueeze(0).to(ScalarType.Float32) / 255; // [1, 3, height, width]
        if (picture.Height != Side || picture.Width != Side)
            x = functional.interpolate(x, [Side, Side], mode: InterpolationMode.Bilinear, align_corners: true);
        x = Relu6(Apply(first, x));
        foreach (var block in blocks)
        {
            var y = block.Widen is null ? x : Relu6(Apply(block.Widen, x));
            y = Apply(block.Narrow, Relu6(Apply(block.Look, y)));
            x = block.Widen is not null && block.Look.Stride == 1 && x.shape[1] == y.shape[1] ? x + y : y;
        }
        x = Relu6(Apply(widened, x)).mean([2, 3]); // [1, 1280]
        for (var i = 0; i < dense.Length; i++)
        {
            x = functional.linear(x, dense[i].Weight, dense[i].Bias);
            if (i < dense.Length - 1) x = functional.relu(x);
        }
        return functional.softmax(x, 1).cpu().data<float>().ToArray();
    }

    public void Dispose() => owned.ForEach(tensor => tensor.Dispose());

    private static Tensor Relu6(Tensor x) => x.clamp_(0, 6);

    // Keras pads a 3x3 kernel of stride 2 below and to the right only.
    private static Tensor Apply(Convolution convolution, Tensor x)
    {
        // A 1x1 convolution is a product of matrices, and as one is not offered to NNPACK, which many machines lack.
        if (convolution.Weight.shape[2] == 1)
            return (mm(convolution.Weight.flatten(1), x.flatten(2).squeeze(0)) + convolution.Bias.view(-1, 1)).view(1, -1, x.shape[2], x.shape[3]);
        var padded = convolution.Stride == 2 ? functional.pad(x, [0, 1, 0, 1]) : x;
        var around = convolution.Stride == 1 && convolution.Weight.shape[2] == 3 ? 1 : 0;
        return functional.conv2d(padded, convolution.Weight, convolution.Bias, strides: [convolution.Stride, convolution.Stride], padding: [around, around], groups: convolution.Groups);
    }

    // Keras keeps [height, width, in, out]; libtorch wants [out, in, height, width].
    private Convolution Folded(PublishedModel model, string name, string norm, long width, int stride = 1)
    {
        long side = stride == 2 ? 3 : 1;
        return Normalised(model, model.Tensor($"{name}/kernel", side, side, width, null).permute(3, 2, 0, 1), norm, stride, groups: 1);
    }

    // [height, width, channels, 1] becomes [channels, 1, height, width].
    private Convolution Depthwise(PublishedModel model, string block, long width, int stride) =>
        Normalised(model, model.Tensor($"{block}_depthwise/depthwise_kernel", 3, 3, width, 1).permute(2, 3, 0, 1), $"{block}_depthwise_BN", stride, groups: width);

    private Convolution Normalised(PublishedModel model, Tensor weight, string norm, int stride, long groups)
    {
        var channels = weight.shape[0];
        Tensor Of(string part) => model.Tensor($"{norm}/{part}", channels);
        var factor = Of("gamma") / (Of("moving_variance") + Epsilon).sqrt();
        return new Convolution(Kept(weight * factor.view(-1, 1, 1, 1)), Kept(Of("beta") - Of("moving_mean") * factor), stride, groups);
    }

    private Tensor Kept(Tensor tensor)
    {
        var kept = tensor.contiguous().to(device).MoveToOuterDisposeScope().DetachFromDisposeScope();
        owned.Add(kept);
        return kept;
    }
}
