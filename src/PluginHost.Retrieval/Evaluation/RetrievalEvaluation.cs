using System.Diagnostics;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Evaluation;

/// <summary>Rates retrievers over queries, and the index against looking at every vector.</summary>
/// <param name="index">The index.</param>
/// <param name="queries">The queries.</param>
/// <param name="documents">The ids of the documents with a text: one text may stand in several.</param>
public sealed class RetrievalEvaluation(IDocumentIndex index, IReadOnlyList<RatedQuery> queries, ILookup<string, string> documents)
{
    private const int Depth = 10;
    private const int Timed = 200;

    /// <summary>nDCG@10 of a retriever: by task, and their mean under the empty name.</summary>
    public IReadOnlyDictionary<string, double> Rate(IRetriever retriever, CancellationToken cancellation)
    {
        var scores = queries.Select(query =>
        {
            cancellation.ThrowIfCancellationRequested();
            var right = query.Right.SelectMany(text => documents[text]).ToHashSet();
            // Chunks of one document count once, where the first of them stands.
            var found = retriever.Retrieve(query.Text, 2 * Depth).Select(chunk => chunk.Document).Distinct().Select(right.Contains);
            return (query.Task, Score: right.Count == 0 ? double.NaN : Ndcg.At(found, right.Count, Depth));
        }).Where(item => !double.IsNaN(item.Score)).ToList();
        var byTask = scores.GroupBy(item => item.Task).ToDictionary(group => group.Key, group => group.Average(item => item.Score));
        byTask[""] = byTask.Count == 0 ? 0 : byTask.Values.Average();
        return byTask;
    }

    /// <summary>Time of a search by a vector of the index alone, in milliseconds: the median; and the share of the true ten nearest that it finds.</summary>
    /// <param name="vectors">Query vectors.</param>
    /// <param name="all">Every passage's vector, computed anew, by document and chunk.</param>
    public (double Milliseconds, double Recall) Exactness(IReadOnlyList<float[]> vectors, IReadOnlyDictionary<(string Document, int Number), float[]> all)
    {
        var times = new List<double>();
        var shares = new List<double>();
        foreach (var vector in vectors.Take(Timed))
        {
            var watch = Stopwatch.StartNew();
            var found = index.SearchVector(vector, Depth);
            times.Add(watch.Elapsed.TotalMilliseconds);
            if (all.Count == 0) continue;
            double Dot(float[] other)
            {
                var sum = 0.0;
                for (var i = 0; i < vector.Length; i++) sum += (double)vector[i] * other[i];
                return sum;
            }
            // Equals may stand in any order: what counts is that nothing nearer was passed over.
            var nearest = all.Values.Select(Dot).OrderDescending().Take(Depth).ToArray();
            const double rounding = 1e-5;
            shares.Add(nearest.Length == 0 ? 1 : (double)found.Count(chunk => Dot(all[(chunk.Document, chunk.Number)]) >= nearest[^1] - rounding) / nearest.Length);
        }
        times.Sort();
        return (times.Count == 0 ? 0 : times[times.Count / 2], shares.Count == 0 ? 1 : shares.Average());
    }

    /// <summary>Figures by task as an object.</summary>
    public static JsonObject Json(IReadOnlyDictionary<string, double> figures) =>
        new(figures.Where(item => item.Key.Length > 0).OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => KeyValuePair.Create(item.Key, (JsonNode?)Math.Round(item.Value, 4))));
}
