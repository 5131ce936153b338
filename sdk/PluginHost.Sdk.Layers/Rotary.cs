using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// Rotary position embedding (Su et al. 2021), halves rotated against each other as in GPT-NeoX. Tables grow on demand and are
/// kept; whoever creates the object disposes it. Thread-safe.
/// </summary>
/// <param name="headWidth">Width of a head; even.</param>
/// <param name="rotaryBase">Base of the geometric series of wavelengths.</param>
/// <param name="context">Says type and device.</param>
public sealed class Rotary(long headWidth, double rotaryBase, BuildContext context) : IDisposable
{
    // Smaller tables stay until the end: another thread may be reading them.
    private readonly List<(Tensor Cosine, Tensor Sine)> tables = [];

    /// <summary>The rotation of consecutive positions, the same in every row.</summary>
    public Rotation Range(long first, long count)
    {
        var (cosine, sine) = Table(first + count);
        return new(cosine.narrow(1, first, count), sine.narrow(1, first, count));
    }

    /// <summary>The rotation of explicit positions.</summary>
    /// <param name="positions">Int64 [batch, tokens], each below <paramref name="limit"/>.</param>
    /// <param name="limit">An upper bound, so that the positions need not be read back.</param>
    public Rotation At(Tensor positions, long limit)
    {
        var (cosine, sine) = Table(limit);
        var flat = positions.reshape(-1);
        long[] shape = [positions.size(0), positions.size(1), 1, headWidth];
        return new(cosine.index_select(1, flat).view(shape), sine.index_select(1, flat).view(shape));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (cosine, sine) in tables)
        {
            cosine.Dispose();
            sine.Dispose();
        }
    }

    private (Tensor Cosine, Tensor Sine) Table(long length)
    {
        lock (tables)
        {
            if (tables.Count == 0 || tables[^1].Cosine.size(1) < length) tables.Add(Compute(Math.Max(64, length * 2)));
            return tables[^1];
        }
    }

    private (Tensor Cosine, Tensor Sine) Compute(long length)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var half = headWidth / 2;
        var frequencies = pow(rotaryBase, arange(half, dtype: ScalarType.Float64) * (-1.0 / half));
        var angles = outer(arange(length, dtype: ScalarType.Float64), frequencies);  // [length, half]
        var (cos, sin) = (angles.cos(), angles.sin());
        return (Stored(cos, cos), Stored(-sin, sin));

        Tensor Stored(Tensor first, Tensor second) => cat([first, second], -1).view(1, length, 1, headWidth)
            .to(context.Dtype).to(context.Device).DetachFromDisposeScope();
    }
}
