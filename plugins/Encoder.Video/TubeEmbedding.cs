using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Encoder.Video;

/// <summary>Two 3×3×3 convolutions, which see motion between neighbouring frames, then a linear map of each tube of frames and patch.</summary>
internal sealed class TubeEmbedding : nn.Module
{
    private readonly long tube;
    private readonly long patch;
    private readonly GridTimePositions positions;
    private readonly Convolution3dNorm fine;
    private readonly Convolution3dNorm coarse;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public TubeEmbedding(long width, long patch, long tube, long stemWidth, BuildContext context) : base(nameof(TubeEmbedding))
    {
        (this.tube, this.patch) = (tube, patch / 2);
        positions = new GridTimePositions(width, context);
        fine = new Convolution3dNorm(context.Dimension("C"), stemWidth, 2, context);
        coarse = new Convolution3dNorm(stemWidth, 2 * stemWidth, 1, context);
        weight = Initial.Normal(context, [width, 2 * stemWidth, tube, this.patch, this.patch], Math.Sqrt(1.0 / (2 * stemWidth * tube * this.patch * this.patch)));
        bias = Initial.Constant(context, [width], 0);
        register_module(nameof(fine), fine);
        register_module(nameof(coarse), coarse);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    /// <summary>Videos [batch, frames, channels, height, width] in 0..1, and which frames are there, to [batch, times, places, width].</summary>
    public Tensor Forward(Tensor video, Tensor mask)
    {
        // An absent frame is zero before each convolution, whatever stands in its place.
        var real = mask.view(mask.size(0), 1, mask.size(1), 1, 1).to(video.dtype);
        var x = video.transpose(1, 2) * 2 - 1;                                    // [B, C, F, H, W]
        x = coarse.Forward(fine.Forward(x * real) * real) * real;                 // [B, 2 * stem width, F, H / 2, W / 2]
        x = conv3d(x, weight, bias, strides: [tube, patch, patch]);               // [B, width, times, rows, columns]
        var (times, rows, columns) = (x.size(2), x.size(3), x.size(4));
        return x.flatten(3).permute(0, 2, 3, 1) + positions.For(times, rows, columns);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) positions.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>3×3×3 convolution, group normalisation of each frame (an absent one must not matter to others), GELU.</summary>
internal sealed class Convolution3dNorm : nn.Module
{
    private readonly long stride;
    private readonly long groups;
    private readonly Parameter kernel;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public Convolution3dNorm(long inputs, long outputs, long stride, BuildContext context) : base(nameof(Convolution3dNorm))
    {
        this.stride = stride;
        groups = outputs % 4 == 0 ? 4 : 1;
        kernel = Initial.Normal(context, [outputs, inputs, 3, 3, 3], Math.Sqrt(2.0 / (27 * inputs)));
        weight = Initial.Constant(context, [outputs], 1);
        bias = Initial.Constant(context, [outputs], 0);
        register_parameter(nameof(kernel), kernel);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    public Tensor Forward(Tensor x)
    {
        x = conv3d(x, kernel, strides: [1, stride, stride], padding: [1, 1, 1]);   // [B, outputs, F, H / stride, W / stride]
        var frames = x.transpose(1, 2);
        var normed = group_norm(frames.reshape(-1, x.size(1), x.size(3), x.size(4)), groups, weight, bias);
        return gelu(normed).view(frames.shape).transpose(1, 2);
    }
}

/// <summary>Sine and cosine positions of a video's tokens: a third of the width each for time, row and column. Fixed, for any size.</summary>
internal sealed class GridTimePositions(long width, BuildContext context) : IDisposable
{
    private (long Times, long Rows, long Columns) size;
    private Tensor? table;

    /// <summary>[1, times, rows * columns, width]; kept until another size is asked for.</summary>
    public Tensor For(long times, long rows, long columns)
    {
        if (table is not null && size == (times, rows, columns)) return table;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var time = Axis(times).view(times, 1, 1, -1).expand(times, rows, columns, -1);
        var row = Axis(rows).view(1, rows, 1, -1).expand(times, rows, columns, -1);
        var column = Axis(columns).view(1, 1, columns, -1).expand(times, rows, columns, -1);
        var all = cat([time, row, column], -1).view(1, times, rows * columns, -1);
        var filled = pad(all, [0, width - all.size(3)]);  // a width that 6 does not divide
        table?.Dispose();
        table = filled.to(context.Dtype).to(context.Device).DetachFromDisposeScope();
        size = (times, rows, columns);
        return table;
    }

    // Wavelengths from 2π to 2π · 1000: videos are short.
    private Tensor Axis(long count)
    {
        var frequencies = width / 6;
        var wavelengths = pow(1000.0, arange(frequencies, dtype: ScalarType.Float64) * (-1.0 / Math.Max(1, frequencies)));
        var angles = outer(arange(count, dtype: ScalarType.Float64), wavelengths);
        return cat([angles.sin(), angles.cos()], -1);  // [count, width / 3]
    }

    public void Dispose() => table?.Dispose();
}
