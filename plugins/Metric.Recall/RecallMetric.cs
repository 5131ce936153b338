// Recall@k over the full gallery: the part of queries whose best right answer is among the k nearest by cosine. Ties count against
// us: a wrong answer with the same score stands before the right one, so that a model that says the same to everything scores 0.
using System.ComponentModel;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Metric.Recall;

/// <summary>Recall@k of a retrieval by embeddings.</summary>
[Plugin("metric.recall", "Recall@k over the full gallery; several right answers are allowed, ties count against the model.")]
[Input("query", "f[B,D]")]
[Input("key", "f[B,D]")]
public sealed class RecallMetric(RecallOptions options) : IEmbeddingMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(Tensor query, Tensor key, IReadOnlyList<int> groups)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        // A row without one of the modalities is all zeros, and takes no part.
        var present = query.ne(0).any(1).logical_and(key.ne(0).any(1)).nonzero().view(-1);
        var count = present.size(0);
        var group = tensor(groups.ToArray(), dtype: ScalarType.Int64, device: query.device).index_select(0, present);
        var scores = mm(Unit(query, present), Unit(key, present).t());       // [queries, keys]
        var right = group.unsqueeze(1).eq(group.unsqueeze(0));
        var best = scores.masked_fill(right.logical_not(), double.NegativeInfinity);
        var threshold = count == 0 ? best : best.amax([1], keepdim: true);
        var before = scores.ge(threshold).logical_and(right.logical_not()).sum(1);
        var ranks = before.cpu().data<long>().ToArray();
        return [.. (options.K ?? [1, 5, 10]).Select(k => ranks.Select(rank => rank < k ? 1.0 : 0).ToArray()).Zip(options.K ?? [1, 5, 10], (items, k) => new MetricValue(
            $"recall@{k}", count == 0 ? 0 : items.Average(), $"gallery of {count}") { Items = items })];
    }

    // Double precision: equal vectors must give equal scores, whatever their place in the product.
    private static Tensor Unit(Tensor x, Tensor rows) =>
        nn.functional.normalize(x.index_select(0, rows).to(ScalarType.Float64), 2, 1);
}

/// <summary>Settings of <see cref="RecallMetric"/>.</summary>
public sealed record RecallOptions(
    [property: Description("The numbers of nearest answers looked at, each 1 or more; 1, 5 and 10 when absent.")] int[]? K = null);
