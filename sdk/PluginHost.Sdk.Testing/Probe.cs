using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>A tensor that comes out of a node.</summary>
/// <param name="Name">Where it came out: a port, or a fusion point.</param>
/// <param name="Value">The tensor.</param>
/// <param name="Mask">Where it counts, in as many dimensions; null: everywhere.</param>
public sealed record Probe(string Name, Tensor Value, Tensor? Mask)
{
    /// <summary>The tensor with zeros where it does not count.</summary>
    public Tensor Real => Mask is null ? Value : where(Mask, Value, zeros_like(Value));

    /// <summary>Whether all of it is a number: a mask does not undo a NaN.</summary>
    public bool Finite => Value.isfinite().all().item<bool>();

    /// <summary>Largest absolute difference where both count; infinite for different shapes.</summary>
    public double DistanceTo(Probe other) => !Value.shape.SequenceEqual(other.Value.shape) ? double.PositiveInfinity
        : Value.numel() == 0 ? 0 : (Real - other.Real).abs().max().to(ScalarType.Float64).item<double>();
}
