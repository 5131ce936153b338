using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace PluginHost.Sdk.Layers;

/// <summary>The numbers of a <see cref="PatchEmbedding"/>.</summary>
/// <param name="Width">Width of a token.</param>
/// <param name="Patch">Pixels along a side that become one token; divides the pictures' size.</param>
/// <param name="Stem">Whether 3×3 convolutions come first.</param>
/// <param name="StemWidth">Channels of the first convolution; each further one has twice as many as the one before.</param>
/// <param name="StemShrink">By how much the stem shrinks a side: a power of two that divides the patch. Each convolution after the first halves.</param>
public sealed record PatchShape(long Width, long Patch, bool Stem, long StemWidth, long StemShrink)
{
    /// <summary>This, if its numbers fit together.</summary>
    /// <param name="plugin">For the message: <c>encoder.vit</c>.</param>
    /// <exception cref="UserErrorException">They do not.</exception>
    public PatchShape Checked(string plugin)
    {
        if (!Stem) return this;
        if (!long.IsPow2(StemShrink)) throw new UserErrorException($"{plugin}: stemShrink is {StemShrink}, but each convolution halves: use {1L << (int)long.Log2(StemShrink)}.");
        return Patch % StemShrink == 0 ? this : throw new UserErrorException(
            $"{plugin}: patch is {Patch}, but the stem shrinks pictures by {StemShrink} (stemShrink), which must divide patch; use a patch of {(Patch / StemShrink + 1) * StemShrink} or set \"stem\": false.");
    }
}

/// <summary>
/// Pictures as tokens: a linear map of each patch (Dosovitskiy et al. 2021) with fixed two-dimensional positions and, if wanted, an
/// early-convolution stem (Xiao et al. 2021), which needs far fewer pictures to learn edges and colours.
/// </summary>
public sealed class PatchEmbedding : nn.Module
{
    private readonly long size;
    private readonly GridPositions positions;
    private readonly ModuleList<ConvolutionNorm> stem = [];
    private readonly Parameter weight;
    private readonly Parameter bias;

    /// <summary>Builds the layer.</summary>
    /// <param name="shape">Its numbers.</param>
    /// <param name="channels">Channels of a picture.</param>
    /// <param name="context">Says type and device.</param>
    public PatchEmbedding(PatchShape shape, long channels, BuildContext context) : base(nameof(PatchEmbedding))
    {
        ArgumentNullException.ThrowIfNull(shape);
        size = shape.Patch;
        positions = new GridPositions(shape.Width, context);
        if (shape.Stem)
        {
            stem.Add(new ConvolutionNorm(channels, shape.StemWidth, 1, context));
            for (channels = shape.StemWidth; channels < shape.StemWidth * shape.StemShrink; channels *= 2)
                stem.Add(new ConvolutionNorm(channels, 2 * channels, 2, context));
            size /= shape.StemShrink;
        }
        register_module(nameof(stem), stem);
        weight = Initial.Normal(context, [shape.Width, channels, size, size], Math.Sqrt(1.0 / (channels * size * size)));
        bias = Initial.Constant(context, [shape.Width], 0);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    /// <summary>Pictures [batch, channels, height, width] in 0..1 to [batch, height / patch · width / patch, token width], row by row.</summary>
    public Tensor Forward(Tensor pictures)
    {
        var x = pictures * 2 - 1;
        foreach (var convolution in stem) x = convolution.Forward(x);                                // [batch, channels, height / shrink, width / shrink]
        var grid = Convolution.Forward(x, weight, bias, size, 0);                           // [batch, token width, rows, columns]
        return grid.flatten(2).transpose(1, 2) + positions.For(grid.size(2), grid.size(3));
    }

    /// <summary>Its tensors by name, <c>stem.0.kernel</c>, <c>patches.weight</c>, <c>positions</c>: views of what is stored, in the caller's dispose scope.</summary>
    /// <param name="rows">Rows of patches.</param>
    /// <param name="columns">Patches in a row.</param>
    public IEnumerable<(string Name, Tensor Value)> Describe(long rows, long columns) =>
        [.. stem.SelectMany((convolution, i) => convolution.Describe($"stem.{i}")), ("patches.weight", weight), ("patches.bias", bias), ("positions", positions.For(rows, columns).squeeze(0))];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) positions.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>3×3 convolution, group normalisation (no statistics over the batch: an absent picture must not matter), GELU.</summary>
internal sealed class ConvolutionNorm : nn.Module
{
    private readonly long stride;
    private readonly long groups;
    private readonly Parameter kernel;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public ConvolutionNorm(long inputs, long outputs, long stride, BuildContext context) : base(nameof(ConvolutionNorm))
    {
        this.stride = stride;
        groups = outputs % 4 == 0 ? 4 : 1;
        kernel = Initial.Normal(context, [outputs, inputs, 3, 3], Math.Sqrt(2.0 / (9 * inputs)));
        weight = Initial.Constant(context, [outputs], 1);
        bias = Initial.Constant(context, [outputs], 0);
        register_parameter(nameof(kernel), kernel);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    public IEnumerable<(string Name, Tensor Value)> Describe(string prefix) => [($"{prefix}.kernel", kernel), ($"{prefix}.weight", weight), ($"{prefix}.bias", bias)];

    public Tensor Forward(Tensor x) =>
        gelu(group_norm(Convolution.Forward(x, kernel, null, stride, 1), groups, weight, bias));
}
