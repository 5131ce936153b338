using System.Globalization;

namespace PluginHost.Catalog.Ports;

/// <summary>What kind of value a port carries; the SDK's <c>InputAttribute</c> lists the CLR types.</summary>
public enum PortStructure { Float, Int, Bool, Pixels, Wave, Video, Sequence, Ids, Fusion, Text }

/// <summary>The type of a port as its plugin declares it: <c>seq[B,N,{Width}]</c>.</summary>
/// <param name="Structure">What it carries.</param>
/// <param name="Dimensions">Its dimensions, still in symbols and options.</param>
/// <param name="Text">As declared.</param>
public sealed record PortType(PortStructure Structure, IReadOnlyList<Expression> Dimensions, string Text)
{
    /// <summary>The names of structures in port types; those of a fixed number of dimensions give it.</summary>
    private static readonly (string Name, PortStructure Structure, int? Rank)[] Structures =
    [
        ("f", PortStructure.Float, null), ("i", PortStructure.Int, null), ("b", PortStructure.Bool, null), ("pixels", PortStructure.Pixels, 4),
        ("wave", PortStructure.Wave, 3), ("video", PortStructure.Video, 5), ("seq", PortStructure.Sequence, 3), ("ids", PortStructure.Ids, 3), ("fusion", PortStructure.Fusion, 3),
        ("text", PortStructure.Text, 1),
    ];

    /// <summary>The structure's name in port types.</summary>
    public static string NameOf(PortStructure structure) => Structures.First(entry => entry.Structure == structure).Name;

    /// <summary>Reads a port type.</summary>
    /// <exception cref="FormatException">The text is no port type; the message says why.</exception>
    public static PortType Parse(string text)
    {
        var open = text.IndexOf('[', StringComparison.Ordinal);
        if (open <= 0 || !text.EndsWith(']')) throw new FormatException($"'{text}' is no port type; one is a structure and dimensions, such as seq[B,N,D]");
        var entry = Structures.FirstOrDefault(entry => entry.Name == text[..open].Trim());
        if (entry.Name is null)
            throw new FormatException($"'{text[..open]}' is no structure of a port type{Config.NearestName.Suggestion(text[..open], Structures.Select(known => known.Name))}");
        var inner = text[(open + 1)..^1];
        IReadOnlyList<Expression> dimensions = inner.Trim().Length == 0 ? [] : [.. inner.Split(',').Select(part => ExpressionParser.Parse(part, sums: false))];
        if (entry.Rank is { } rank && rank != dimensions.Count)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{text}' has {dimensions.Count} dimensions, but {entry.Name} has {rank}"));
        return new PortType(entry.Structure, dimensions, text);
    }

    public override string ToString() => Text;
}
