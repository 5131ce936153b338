using System.Globalization;
using PluginHost.Catalog.Ports;

namespace PluginHost.Graph;

/// <summary>A dimension as far as it is known.</summary>
/// <param name="Value">Its value; null for one that differs from batch to batch.</param>
/// <param name="Text">The value, or the symbol or formula: <c>T</c>.</param>
public readonly record struct Dimension(long? Value, string Text)
{
    public static Dimension Of(long value) => new(value, value.ToString(CultureInfo.InvariantCulture));

    public override string ToString() => Text;
}

/// <summary>A port's type after solving: <c>seq[B,64,128]</c>.</summary>
public sealed record PortShape(PortStructure Structure, IReadOnlyList<Dimension> Dimensions)
{
    /// <summary>Values alone; null for a dynamic one.</summary>
    public IReadOnlyList<long?> Values => [.. Dimensions.Select(dimension => dimension.Value)];

    public override string ToString() => $"{PortType.NameOf(Structure)}[{string.Join(',', Dimensions)}]";
}
