// The second stage of a retrieval (Nogueira and Cho 2019): a trained cross-encoder reads the query and each found chunk together, and its scores put them in order.
// What the first stage thought can be joined by reciprocal rank fusion (Cormack et al. 2009): score = 1 / (60 + rank) + first / (60 + rank before).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Reranker.CrossEncoder;

/// <summary>Settings of <see cref="CrossEncoderReranker"/>.</summary>
/// <param name="First">Weight of the first stage's order.</param>
public sealed record CrossEncoderOptions(
    [property: Range(0.0, 100.0), Description("Weight of the first stage's order, where the cross-encoder's has 1; at 0 its scores alone decide.")] double First = 0);

/// <summary>Puts found chunks in the order that a cross-encoder gives them.</summary>
[Plugin("reranker.cross-encoder", "A trained cross-encoder reads the query and each found chunk together and puts them in order.")]
public sealed class CrossEncoderReranker(CrossEncoderOptions options) : IRerankerPlugin
{
    /// <inheritdoc/>
    public IReranker Open(RerankerContext context) => new Reranker(
        context.Scorer ?? throw new UserErrorException("reranker.cross-encoder: needs a trained cross-encoder: name its project ('encoder' of 'reranker')"), options.First);
}

internal sealed class Reranker(IPassageScorer scorer, double first) : IReranker
{
    private const double Damping = 60;

    public IReadOnlyList<FoundChunk> Rerank(string query, IReadOnlyList<FoundChunk> found)
    {
        if (found.Count == 0) return [];
        var scores = scorer.Score(query, [.. found.Select(chunk => chunk.Text)]);
        // Of equals the one that stood first: the sort is stable.
        var ordered = found.Select((chunk, before) => (Chunk: chunk with { Score = scores[before] }, Before: before)).OrderByDescending(item => item.Chunk.Score).ToList();
        return first == 0
            ? [.. ordered.Select(item => item.Chunk)]
            : [.. ordered.Select((item, rank) => item.Chunk with { Score = 1 / (Damping + rank + 1) + first / (Damping + item.Before + 1) }).OrderByDescending(chunk => chunk.Score)];
    }
}
