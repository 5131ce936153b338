using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Convolution = PluginHost.Sdk.Layers.Convolution;

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
        var real = mask.view(mask.size(0), mask.size(1), 1, 1, 1).to(video.dtype);
        var x = coarse.Forward(fine.Forward((video * 2 - 1) * real) * real) * real;                 // [B, F, 2 * stem width, H / 2, W / 2]
        var (batch, times) = (x.size(0), x.size(1) / tube);
        var squares = Convolution.Patches(x.reshape(batch * times, -1, x.size(3), x.size(4)), patch, patch, 0);
        var tokens = linear(squares, weight.transpose(1, 2).flatten(1), bias);                      // [B * times, rows * columns, width]
        return tokens.view(batch, times, tokens.size(1), -1) + positions.For(times, x.size(3) / patch, x.size(4) / patch);
    }

    /// <summary>From one place to the next of each convolution.</summary>
    public IReadOnlyList<long> Strides => [fine.Stride, coarse.Stride];

    /// <summary>Its tensors by name for videos of so many frames and pixels: views of what is stored, in the caller's dispose scope.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe(long frames, long height, long width)
    {
        var side = fine.Stride * patch;
        return
        [
            .. fine.Describe("stem.0"), .. coarse.Describe("stem.1"), ("patches.weight", weight), ("patches.bias", bias),
            ("positions", positions.For(frames / tube, height / side, width / side).flatten(0, 2)),
        ];
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
    private readonly long groups;
    private readonly Parameter kernel;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public Convolution3dNorm(long inputs, long outputs, long stride, BuildContext context) : base(nameof(Convolution3dNorm))
    {
        Stride = stride;
        groups = outputs % 4 == 0 ? 4 : 1;
        kernel = Initial.Normal(context, [outputs, inputs, 3, 3, 3], Math.Sqrt(2.0 / (27 * inputs)));
        weight = Initial.Constant(context, [outputs], 1);
        bias = Initial.Constant(context, [outputs], 0);
        register_parameter(nameof(kernel), kernel);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    public long Stride { get; }

    public IEnumerable<(string Name, Tensor Value)> Describe(string prefix) => [($"{prefix}.kernel", kernel), ($"{prefix}.weight", weight), ($"{prefix}.bias", bias)];

    /// <summary>[batch, frames, inputs, height, width] to [batch, frames, outputs, height / stride, width / stride].</summary>
    public Tensor Forward(Tensor x)
    {
        x = Convolution3d.Forward(x, kernel, Stride);
        var frames = x.flatten(0, 1);
        return gelu(group_norm(frames, groups, weight, bias)).view(x.shape);
    }
}

/// <summary>3×3×3 convolutions as products, for the reason that <see cref="Convolution"/> gives.</summary>
internal static class Convolution3d
{
    /// <summary>[B, F, C, H, W] and a kernel [outputs, C, 3, 3, 3] to [B, F, outputs, H / stride, W / stride]; zeros stand around the video.</summary>
    public static Tensor Forward(Tensor x, Tensor kernel, long stride)
    {
        var (batch, frames, outputs) = (x.size(0), x.size(1), kernel.size(0));
        var (height, width) = ((x.size(3) - 1) / stride + 1, (x.size(4) - 1) / stride + 1);
        var rows = kernel.permute(2, 0, 1, 3, 4).reshape(3 * outputs, -1);                          // [3 * outputs, C * 9]
        // What each frame gives to the next, to itself and to the one before.
        var parts = linear(Convolution.Patches(x.flatten(0, 1), 3, stride, 1), rows).view(batch, frames, height * width, 3, outputs);
        var padded = pad(parts, [0, 0, 0, 0, 0, 0, 1, 1]);
        var sum = padded.narrow(1, 0, frames).select(3, 0) + parts.select(3, 1) + padded.narrow(1, 2, frames).select(3, 2);
        return sum.transpose(2, 3).reshape(batch, frames, outputs, height, width);
    }
}

/// <summary>Sine and cosine positions of a video's tokens: a third of the width each for time, row and column. Fixed, for any size.</summary>
internal sealed class GridTimePositions(long width, BuildContext context) : IDisposable
{
    private readonly Lock gate = new();
    private (long Times, long Rows, long Columns) size;
    private Tensor? table;

    /// <summary>[1, times, rows * columns, width]; kept until another size is asked for. Micro-batches may ask side by side.</summary>
    public Tensor For(long times, long rows, long columns)
    {
        using var one = gate.EnterScope();
        if (table is not null && size == (times, rows, columns)) return table;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var time = Axis(times).view(times, 1, 1, -1).expand(times, rows, columns, -1);
        var row = Axis(rows).view(1, rows, 1, -1).expand(times, rows, columns, -1);
        var column = Axis(columns).view(1, 1, columns, -1).expand(times, rows, columns, -1);
        var all = cat([time, row, column], -1).view(1, times, rows * columns, -1);
        var filled = pad(all, [0, width - all.size(3)]);  // a width that 6 does not divide
        // Not disposed here: who asked for the former size may still be reading it.
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
