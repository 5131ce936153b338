using PluginHost.Sdk;

namespace PluginHost.Retrieval;

/// <summary>Both stages of a retrieval as one: what the first finds, in the order that the second gives it.</summary>
/// <param name="first">Brings candidates.</param>
/// <param name="reranker">Puts them in order.</param>
/// <param name="candidates">How many are put in order; more than that are not found.</param>
public sealed class RerankedRetriever(IRetriever first, IReranker reranker, int candidates) : IRetriever
{
    /// <inheritdoc/>
    public IReadOnlyList<FoundChunk> Retrieve(string query, int count, IReadOnlyDictionary<string, string>? filter = null) =>
        count <= 0 ? [] : [.. reranker.Rerank(query, first.Retrieve(query, candidates, filter)).Take(count)];

    /// <summary>The same, with the rank of each in the first stage, from 1.</summary>
    public IReadOnlyList<(FoundChunk Chunk, int FirstRank)> RetrieveRanked(string query, int count, IReadOnlyDictionary<string, string>? filter = null)
    {
        var found = first.Retrieve(query, candidates, filter);
        var ranks = found.Select((chunk, rank) => ((chunk.Document, chunk.Number), rank + 1)).ToDictionary();
        return [.. reranker.Rerank(query, found).Take(Math.Max(0, count)).Select(chunk => (chunk, ranks[(chunk.Document, chunk.Number)]))];
    }
}
