using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Sine and cosine positions of a grid: half of the width speaks of the row, half of the column. Fixed, for any size (He et al. 2022).</summary>
/// <param name="width">Width of a position.</param>
/// <param name="context">Says type and device.</param>
public sealed class GridPositions(long width, BuildContext context) : IDisposable
{
    private readonly Lock gate = new();
    private (long Rows, long Columns) size;
    private Tensor? table;

    /// <summary>The positions of a grid, [1, rows * columns, width]; kept until another size is asked for. Micro-batches may ask side by side.</summary>
    public Tensor For(long rows, long columns)
    {
        using var one = gate.EnterScope();
        if (table is not null && size == (rows, columns)) return table;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var row = Axis(rows).unsqueeze(1).expand(rows, columns, -1);
        var column = Axis(columns).unsqueeze(0).expand(rows, columns, -1);
        var both = cat([row, column], -1).view(1, rows * columns, -1);
        var filled = nn.functional.pad(both, [0, width - both.size(2)]);  // a width that 4 does not divide
        // Not disposed here: who asked for the former size may still be reading it.
        table = filled.to(context.Dtype).to(context.Device).DetachFromDisposeScope();
        size = (rows, columns);
        return table;
    }

    private Tensor Axis(long count)
    {
        var frequencies = width / 4;
        var wavelengths = pow(10000.0, arange(frequencies, dtype: ScalarType.Float64) * (-1.0 / Math.Max(1, frequencies)));
        var angles = outer(arange(count, dtype: ScalarType.Float64), wavelengths);
        return cat([angles.sin(), angles.cos()], -1);  // [count, width / 2]
    }

    /// <inheritdoc/>
    public void Dispose() => table?.Dispose();
}
