using System.Diagnostics;
using PluginHost.Runs.Training.Precision;
using static TorchSharp.torch;

namespace PluginHost.Runs.Profiling;

/// <summary>A product of [rows, inner] and [inner, columns] in fp32: what the machine makes of it is the ceiling that a training step is held against.</summary>
public readonly record struct MatrixShape(long Rows, long Inner, long Columns)
{
    /// <summary>Large enough that nothing but arithmetic counts.</summary>
    public static MatrixShape Square { get; } = new(1536, 1536, 1536);

    /// <summary>Multiplications and additions.</summary>
    public double Operations => 2.0 * Rows * Inner * Columns;

    /// <summary>Computes the product once by each of the ways that there are here.</summary>
    /// <returns>Operations a second of the faster one.</returns>
    public double Measure() => OneDnn.IsPreferred ? Math.Max(Measure(matmul), Measure(OneDnn.Product)) : Measure(matmul);

    private double Measure(Func<Tensor, Tensor, Tensor> product)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (left, right) = (rand(Rows, Inner), rand(Columns, Inner).t());  // as a linear map has them
        var began = Stopwatch.GetTimestamp();
        product(left, right);
        return Operations / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
