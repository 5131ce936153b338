// Dense retrieval (Karpukhin et al. 2020, DPR): the chunks whose vectors are nearest to the query's; and beside it, by one setting each, BM25 alone, and both joined by
// reciprocal rank fusion (Cormack et al. 2009): score = Σ over the two lists of w / (60 + rank).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Retriever.Dense;

/// <summary>Settings of the retrievers.</summary>
/// <param name="Depth">How deep each list is read.</param>
/// <param name="Lexical">Weight of the list by words.</param>
public sealed record HybridOptions(
    [property: Range(1, 10000), Description("Chunks of each list that are joined, at least as many as are asked for.")] int Depth = 100,
    [property: Range(0.0, 100.0), Description("Weight of the list by words, where that by vectors has 1.")] double Lexical = 1);

/// <summary>By vectors.</summary>
[Plugin("retriever.dense", "The chunks whose vectors are nearest to the query's, by a trained tower.")]
public sealed class DenseRetriever : IRetrieverPlugin
{
    /// <inheritdoc/>
    public IRetriever Open(RetrieverContext context) => new Dense(context.Index, Needed(context, "retriever.dense"));

    internal static IQueryEncoder Needed(RetrieverContext context, string id) =>
        context.Encoder ?? throw new UserErrorException($"{id}: needs a trained tower that encodes queries: name one ('encoder'), or use retriever.lexical");
}

/// <summary>By words.</summary>
[Plugin("retriever.lexical", "The chunks with the query's words, by BM25.")]
public sealed class LexicalRetriever : IRetrieverPlugin
{
    /// <inheritdoc/>
    public IRetriever Open(RetrieverContext context) => new Lexical(context.Index);
}

/// <summary>By both.</summary>
[Plugin("retriever.hybrid", "Chunks by vectors and by words, joined by reciprocal rank fusion.")]
public sealed class HybridRetriever(HybridOptions options) : IRetrieverPlugin
{
    /// <inheritdoc/>
    public IRetriever Open(RetrieverContext context) =>
        new Hybrid(new Dense(context.Index, DenseRetriever.Needed(context, "retriever.hybrid")), new Lexical(context.Index), options);
}

internal sealed class Dense(IDocumentIndex index, IQueryEncoder encoder) : IRetriever
{
    public IReadOnlyList<FoundChunk> Retrieve(string query, int count, IReadOnlyDictionary<string, string>? filter = null) =>
        count <= 0 ? [] : index.SearchVector(encoder.Encode(query), count, filter);
}

internal sealed class Lexical(IDocumentIndex index) : IRetriever
{
    public IReadOnlyList<FoundChunk> Retrieve(string query, int count, IReadOnlyDictionary<string, string>? filter = null) => index.SearchText(query, count, filter);
}

internal sealed class Hybrid(IRetriever dense, IRetriever lexical, HybridOptions options) : IRetriever
{
    private const double Damping = 60;

    public IReadOnlyList<FoundChunk> Retrieve(string query, int count, IReadOnlyDictionary<string, string>? filter = null)
    {
        if (count <= 0) return [];
        var depth = Math.Max(count, options.Depth);
        var scores = new Dictionary<(string, int), (FoundChunk Chunk, double Score)>();
        void Add(IReadOnlyList<FoundChunk> found, double weight)
        {
            for (var rank = 0; rank < found.Count; rank++)
            {
                var key = (found[rank].Document, found[rank].Number);
                scores[key] = (found[rank], scores.GetValueOrDefault(key).Score + weight / (Damping + rank + 1));
            }
        }
        Add(dense.Retrieve(query, depth, filter), 1);
        Add(lexical.Retrieve(query, depth, filter), options.Lexical);
        return [.. scores.Values.OrderByDescending(item => item.Score).ThenBy(item => item.Chunk.Document, StringComparer.Ordinal).ThenBy(item => item.Chunk.Number)
            .Take(count).Select(item => item.Chunk with { Score = item.Score })];
    }
}
