using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>An open source and how often its samples are taken against those of the others.</summary>
public sealed record WeightedSource(ISource Source, int Weight);

/// <summary>Several sources as one: the samples of each split one source after the other. Owns the sources.</summary>
public sealed class MixedSource : ISource
{
    private readonly IReadOnlyList<WeightedSource> sources;

    private MixedSource(IReadOnlyList<WeightedSource> sources) => this.sources = sources;

    public IReadOnlyList<string> Splits => [.. sources.SelectMany(item => item.Source.Splits).Distinct()];

    public string Fingerprint => string.Join(" + ", sources.Select(item => $"{item.Weight} x {item.Source.Fingerprint}"));

    /// <summary>The sources as one; a single one is itself.</summary>
    public static ISource Of(IReadOnlyList<WeightedSource> sources) => sources is [var single] ? single.Source : new MixedSource(sources);

    public int Count(string split) => Parts(split).Sum(part => part.Count);

    public Sample Read(string split, int index)
    {
        foreach (var (source, part) in sources.Zip(Parts(split)))
            if (index < part.First + part.Count) return source.Source.Read(split, index - part.First);
        throw new ArgumentOutOfRangeException(nameof(index));
    }

    public void Dispose()
    {
        foreach (var item in sources) item.Source.Dispose();
    }

    /// <summary>Which indices of a source's split belong to which weight.</summary>
    internal static IReadOnlyList<SourcePart> Parts(ISource source, string split) =>
        source is MixedSource mixed ? mixed.Parts(split) : [new SourcePart(0, source.Count(split), 1)];

    /// <summary>All indices of a split, the sources in turn, so that the first few stand for all of them.</summary>
    internal static IEnumerable<int> InTurn(ISource source, string split)
    {
        var parts = Parts(source, split);
        for (var i = 0; i < parts.Max(part => part.Count); i++)
            foreach (var part in parts.Where(part => i < part.Count)) yield return part.First + i;
    }

    private List<SourcePart> Parts(string split)
    {
        var parts = new List<SourcePart>();
        var first = 0;
        foreach (var (source, weight) in sources)
        {
            parts.Add(new SourcePart(first, source.Count(split), weight));
            first += parts[^1].Count;
        }
        return parts;
    }
}
