using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// A weight [outputs, inputs] in panels of sixteen outputs, <c>panel[input][output]</c>: memory is read once, from front to back, for some rows at a
/// time. Every output is one chain of fused multiply-adds over the inputs, in their order: its value does not depend on how many rows there are.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private const int Panel = PanelKernel.Panel;

    // Below this many multiplications a thread of its own costs more than it saves.
    private const long WorthThreads = 1 << 17;

    private readonly float* panels;
    private readonly float* bias;
    private readonly int count;

    private PackedMatrix(int outputs, int inputs, bool biased)
    {
        (Outputs, Inputs, count) = (outputs, inputs, (outputs + Panel - 1) / Panel);
        panels = Allocate((long)count * Panel * inputs);
        if (biased) bias = Allocate((long)count * Panel);
    }

    public int Outputs { get; }

    public int Inputs { get; }

    public long Bytes => ((long)count * Panel * Inputs + (bias is null ? 0 : count * Panel)) * sizeof(float);

    /// <summary>Weights below each other as one.</summary>
    /// <param name="weights">[outputs, inputs] each.</param>
    /// <param name="biases">[outputs] of each, or null where it has none.</param>
    public static PackedMatrix Of(IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases)
    {
        var packed = new PackedMatrix((int)weights.Sum(weight => weight.size(0)), (int)weights[0].size(1), biases.Any(bias => bias is not null));
        var row = 0;
        for (var i = 0; i < weights.Count; i++)
        {
            using var scope = NewDisposeScope();
            var values = Values(weights[i]);
            var added = biases[i] is { } own ? Values(own) : null;
            for (var output = 0; output < (int)weights[i].size(0); output++, row++)
            {
                var panel = packed.panels + (long)(row / Panel) * Panel * packed.Inputs + row % Panel;
                for (var input = 0; input < packed.Inputs; input++) panel[(long)input * Panel] = values[(long)output * packed.Inputs + input];
                if (added is not null) packed.bias[row] = added[output];
            }
        }
        return packed;
    }

    /// <summary>The products of rows of x [rows, inputs] with the weight, into y [rows, stride].</summary>
    public void Multiply(float* x, int rows, float* y, int stride)
    {
        if (count > 1 && (long)Outputs * Inputs * rows >= WorthThreads) TorchThreads.ForEach((count + 1) / 2, pair => Pair(2 * pair, x, rows, y, stride));
        else
            for (var panel = 0; panel < count; panel += 2) Pair(panel, x, rows, y, stride);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(panels);
        NativeMemory.AlignedFree(bias);
    }

    private static float[] Values(Tensor x) => [.. x.detach().to(ScalarType.Float32).cpu().contiguous().data<float>()];

    private static float* Allocate(long count)
    {
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);
        NativeMemory.Clear(memory, (nuint)count * sizeof(float));
        return memory;
    }

    // Two panels for all rows; they stay in the cache from one group of rows to the next. A last single panel is taken twice.
    private void Pair(int panel, float* x, int rows, float* y, int stride)
    {
        var first = panels + (long)panel * Panel * Inputs;
        var second = panel + 1 < count ? first + (long)Panel * Inputs : first;
        var sums = stackalloc float[8 * 2 * Panel];
        for (int row = 0, some; row < rows; row += some)
        {
            some = Math.Min(PanelKernel.Rows, rows - row);
            PanelKernel.Multiply(first, second, x + (long)row * Inputs, some, Inputs, sums);
            Store(panel, some, sums, y + (long)row * stride, stride);
        }
    }

    private void Store(int panel, int rows, float* sums, float* y, int stride)
    {
        var at = panel * Panel;
        var outputs = Math.Min(2 * Panel, Outputs - at);
        for (var row = 0; row < rows; row++, sums += 2 * Panel, y += stride)
        {
            var i = 0;
            for (; i + 8 <= outputs; i += 8)
            {
                var sum = Vector256.Load(sums + i);
                if (bias is not null) sum += Vector256.Load(bias + at + i);
                sum.Store(y + at + i);
            }
            for (; i < outputs; i++) y[at + i] = bias is null ? sums[i] : sums[i] + bias[at + i];
        }
    }
}
