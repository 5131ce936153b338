using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// A weight [outputs, inputs] in panels of sixteen outputs, <c>panel[input][output]</c>: memory is read once, from front to back, for up to four vectors at
/// a time. Every output is one chain of fused multiply-adds over the inputs, in their order: its value does not depend on how many vectors there are.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private const int Panel = 16;
    private const int Together = 4;
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

    // Two panels for all rows; they stay in the cache from one group of rows to the next.
    private void Pair(int panel, float* x, int rows, float* y, int stride)
    {
        var first = panels + (long)panel * Panel * Inputs;
        var second = panel + 1 < count ? first + (long)Panel * Inputs : null;
        var row = 0;
        for (; row + Together <= rows; row += Together)
        {
            Four(first, panel, x + (long)row * Inputs, y + (long)row * stride, stride);
            if (second is not null) Four(second, panel + 1, x + (long)row * Inputs, y + (long)row * stride, stride);
        }
        for (; row < rows; row++)
        {
            if (second is not null) Two(first, second, panel, x + (long)row * Inputs, y + (long)row * stride);
            else One(first, panel, x + (long)row * Inputs, y + (long)row * stride);
        }
    }

    private void One(float* panel, int index, float* x, float* y)
    {
        var (low, high) = (Vector256<float>.Zero, Vector256<float>.Zero);
        for (var i = 0; i < Inputs; i++, panel += Panel)
        {
            var value = Vector256.Create(x[i]);
            low = Vector256.FusedMultiplyAdd(Vector256.Load(panel), value, low);
            high = Vector256.FusedMultiplyAdd(Vector256.Load(panel + 8), value, high);
        }
        Store(index, low, high, y);
    }

    private void Two(float* first, float* second, int index, float* x, float* y)
    {
        var (low1, high1, low2, high2) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        for (var i = 0; i < Inputs; i++, first += Panel, second += Panel)
        {
            var value = Vector256.Create(x[i]);
            low1 = Vector256.FusedMultiplyAdd(Vector256.Load(first), value, low1);
            high1 = Vector256.FusedMultiplyAdd(Vector256.Load(first + 8), value, high1);
            low2 = Vector256.FusedMultiplyAdd(Vector256.Load(second), value, low2);
            high2 = Vector256.FusedMultiplyAdd(Vector256.Load(second + 8), value, high2);
        }
        Store(index, low1, high1, y);
        Store(index + 1, low2, high2, y);
    }

    private void Four(float* panel, int index, float* x, float* y, int stride)
    {
        var x1 = x + Inputs;
        var x2 = x1 + Inputs;
        var x3 = x2 + Inputs;
        var (low0, high0, low1, high1) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        var (low2, high2, low3, high3) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        for (var i = 0; i < Inputs; i++, panel += Panel)
        {
            var (low, high) = (Vector256.Load(panel), Vector256.Load(panel + 8));
            var value = Vector256.Create(x[i]);
            low0 = Vector256.FusedMultiplyAdd(low, value, low0);
            high0 = Vector256.FusedMultiplyAdd(high, value, high0);
            value = Vector256.Create(x1[i]);
            low1 = Vector256.FusedMultiplyAdd(low, value, low1);
            high1 = Vector256.FusedMultiplyAdd(high, value, high1);
            value = Vector256.Create(x2[i]);
            low2 = Vector256.FusedMultiplyAdd(low, value, low2);
            high2 = Vector256.FusedMultiplyAdd(high, value, high2);
            value = Vector256.Create(x3[i]);
            low3 = Vector256.FusedMultiplyAdd(low, value, low3);
            high3 = Vector256.FusedMultiplyAdd(high, value, high3);
        }
        Store(index, low0, high0, y);
        Store(index, low1, high1, y + stride);
        Store(index, low2, high2, y + 2L * stride);
        Store(index, low3, high3, y + 3L * stride);
    }

    private void Store(int panel, Vector256<float> low, Vector256<float> high, float* y)
    {
        var at = panel * Panel;
        if (bias is not null) (low, high) = (low + Vector256.Load(bias + at), high + Vector256.Load(bias + at + 8));
        if (at + Panel <= Outputs)
        {
            low.Store(y + at);
            high.Store(y + at + 8);
            return;
        }
        for (var i = 0; at + i < Outputs; i++) y[at + i] = i < 8 ? low[i] : high[i - 8];
    }
}
