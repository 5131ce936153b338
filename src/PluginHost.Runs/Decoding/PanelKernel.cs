using System.Runtime.Intrinsics;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// Products of rows with two panels of a <see cref="PackedMatrix"/>. Every output is one chain of fused multiply-adds over the inputs, in their order, in whichever of these
/// it is computed: vectors are only so many outputs side by side.
/// </summary>
internal static unsafe class PanelKernel
{
    /// <summary>Outputs of a panel.</summary>
    public const int Panel = 16;

    /// <summary>Rows at a time at most: two sums for each fill half of the 32 registers of 512 bits, or of the 16 of 256.</summary>
    public static int Rows => Vector512.IsHardwareAccelerated ? 8 : 4;

    /// <summary>Some rows, <see cref="Rows"/> at most.</summary>
    /// <param name="first">[inputs, 16].</param>
    /// <param name="second">[inputs, 16].</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="rows">How many.</param>
    /// <param name="inputs">How many.</param>
    /// <param name="sums">[8, 32], of which the first rows mean something.</param>
    public static void Multiply(float* first, float* second, float* x, int rows, int inputs, float* sums)
    {
        if (rows == 1) One(first, second, x, inputs, sums);
        else if (rows > 4) Eight(first, second, x, rows, inputs, sums);
        else if (Vector512.IsHardwareAccelerated) FourWide(first, second, x, rows, inputs, sums);
        else
        {
            FourNarrow(first, x, rows, inputs, sums);
            FourNarrow(second, x, rows, inputs, sums + Panel);
        }
    }

    private static void One(float* first, float* second, float* x, int inputs, float* sums)
    {
        var (low1, high1, low2, high2) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        for (var i = 0; i < inputs; i++, first += Panel, second += Panel)
        {
            var value = Vector256.Create(x[i]);
            low1 = Vector256.FusedMultiplyAdd(Vector256.Load(first), value, low1);
            high1 = Vector256.FusedMultiplyAdd(Vector256.Load(first + 8), value, high1);
            low2 = Vector256.FusedMultiplyAdd(Vector256.Load(second), value, low2);
            high2 = Vector256.FusedMultiplyAdd(Vector256.Load(second + 8), value, high2);
        }
        low1.Store(sums);
        high1.Store(sums + 8);
        low2.Store(sums + Panel);
        high2.Store(sums + Panel + 8);
    }

    // A row that is not there is the last one again.
    private static float* Row(float* x, int row, int rows, int inputs) => x + (long)Math.Min(row, rows - 1) * inputs;

    private static void Eight(float* first, float* second, float* x, int rows, int inputs, float* sums)
    {
        float* x0 = Row(x, 0, rows, inputs), x1 = Row(x, 1, rows, inputs), x2 = Row(x, 2, rows, inputs), x3 = Row(x, 3, rows, inputs);
        float* x4 = Row(x, 4, rows, inputs), x5 = Row(x, 5, rows, inputs), x6 = Row(x, 6, rows, inputs), x7 = Row(x, 7, rows, inputs);
        var (a0, a1, a2, a3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (a4, a5, a6, a7) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (b0, b1, b2, b3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (b4, b5, b6, b7) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < inputs; i++, first += Panel, second += Panel)
        {
            var (one, two) = (Vector512.Load(first), Vector512.Load(second));
            var value = Vector512.Create(x0[i]);
            a0 = Vector512.FusedMultiplyAdd(one, value, a0);
            b0 = Vector512.FusedMultiplyAdd(two, value, b0);
            value = Vector512.Create(x1[i]);
            a1 = Vector512.FusedMultiplyAdd(one, value, a1);
            b1 = Vector512.FusedMultiplyAdd(two, value, b1);
            value = Vector512.Create(x2[i]);
            a2 = Vector512.FusedMultiplyAdd(one, value, a2);
            b2 = Vector512.FusedMultiplyAdd(two, value, b2);
            value = Vector512.Create(x3[i]);
            a3 = Vector512.FusedMultiplyAdd(one, value, a3);
            b3 = Vector512.FusedMultiplyAdd(two, value, b3);
            value = Vector512.Create(x4[i]);
            a4 = Vector512.FusedMultiplyAdd(one, value, a4);
            b4 = Vector512.FusedMultiplyAdd(two, value, b4);
            value = Vector512.Create(x5[i]);
            a5 = Vector512.FusedMultiplyAdd(one, value, a5);
            b5 = Vector512.FusedMultiplyAdd(two, value, b5);
            value = Vector512.Create(x6[i]);
            a6 = Vector512.FusedMultiplyAdd(one, value, a6);
            b6 = Vector512.FusedMultiplyAdd(two, value, b6);
            value = Vector512.Create(x7[i]);
            a7 = Vector512.FusedMultiplyAdd(one, value, a7);
            b7 = Vector512.FusedMultiplyAdd(two, value, b7);
        }
        Store(a0, b0, sums, 0);
        Store(a1, b1, sums, 1);
        Store(a2, b2, sums, 2);
        Store(a3, b3, sums, 3);
        Store(a4, b4, sums, 4);
        Store(a5, b5, sums, 5);
        Store(a6, b6, sums, 6);
        Store(a7, b7, sums, 7);
    }

    private static void FourWide(float* first, float* second, float* x, int rows, int inputs, float* sums)
    {
        float* x0 = Row(x, 0, rows, inputs), x1 = Row(x, 1, rows, inputs), x2 = Row(x, 2, rows, inputs), x3 = Row(x, 3, rows, inputs);
        var (a0, a1, a2, a3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (b0, b1, b2, b3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < inputs; i++, first += Panel, second += Panel)
        {
            var (one, two) = (Vector512.Load(first), Vector512.Load(second));
            var value = Vector512.Create(x0[i]);
            a0 = Vector512.FusedMultiplyAdd(one, value, a0);
            b0 = Vector512.FusedMultiplyAdd(two, value, b0);
            value = Vector512.Create(x1[i]);
            a1 = Vector512.FusedMultiplyAdd(one, value, a1);
            b1 = Vector512.FusedMultiplyAdd(two, value, b1);
            value = Vector512.Create(x2[i]);
            a2 = Vector512.FusedMultiplyAdd(one, value, a2);
            b2 = Vector512.FusedMultiplyAdd(two, value, b2);
            value = Vector512.Create(x3[i]);
            a3 = Vector512.FusedMultiplyAdd(one, value, a3);
            b3 = Vector512.FusedMultiplyAdd(two, value, b3);
        }
        Store(a0, b0, sums, 0);
        Store(a1, b1, sums, 1);
        Store(a2, b2, sums, 2);
        Store(a3, b3, sums, 3);
    }

    private static void FourNarrow(float* panel, float* x, int rows, int inputs, float* sums)
    {
        float* x0 = Row(x, 0, rows, inputs), x1 = Row(x, 1, rows, inputs), x2 = Row(x, 2, rows, inputs), x3 = Row(x, 3, rows, inputs);
        var (low0, high0, low1, high1) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        var (low2, high2, low3, high3) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        for (var i = 0; i < inputs; i++, panel += Panel)
        {
            var (low, high) = (Vector256.Load(panel), Vector256.Load(panel + 8));
            var value = Vector256.Create(x0[i]);
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
        Store(low0, high0, sums, 0);
        Store(low1, high1, sums, 1);
        Store(low2, high2, sums, 2);
        Store(low3, high3, sums, 3);
    }

    private static void Store(Vector512<float> first, Vector512<float> second, float* sums, int row)
    {
        first.Store(sums + row * 2 * Panel);
        second.Store(sums + row * 2 * Panel + Panel);
    }

    private static void Store(Vector256<float> low, Vector256<float> high, float* sums, int row)
    {
        low.Store(sums + row * 2 * Panel);
        high.Store(sums + row * 2 * Panel + 8);
    }
}
