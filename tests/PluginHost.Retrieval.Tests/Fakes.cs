using PluginHost.Sdk;

namespace PluginHost.Retrieval.Tests;

/// <summary>Samples from lists, by split; null stands for one that cannot be read.</summary>
internal sealed class ListedSamples(Dictionary<string, Sample?[]> splits) : ISource
{
    public IReadOnlyList<string> Splits { get; } = [.. splits.Keys];

    public string Fingerprint => "";

    public int Count(string split) => splits.GetValueOrDefault(split, []).Length;

    public Sample Read(string split, int index) => splits[split][index] ?? throw new BadSampleException("cannot be read");

    public void Dispose()
    {
        // holds nothing
    }
}

/// <summary>Finds the same chunks for every query, and notes how many were asked for.</summary>
internal sealed class FixedRetriever(params string[] texts) : IRetriever
{
    public List<(string Query, int Count)> Asked { get; } = [];

    public IReadOnlyList<FoundChunk> Retrieve(string query, int count, IReadOnlyDictionary<string, string>? filter = null)
    {
        lock (Asked) Asked.Add((query, count));
        return [.. texts.Select((text, i) => new FoundChunk(text, 0, text, "", texts.Length - i)).Take(count)];
    }
}
