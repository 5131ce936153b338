using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Retrieval;
using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieve;

/// <summary>The figures of a retrieval over rated queries.</summary>
/// <param name="opened">The retrieval.</param>
/// <param name="config">Its file.</param>
/// <param name="queries">The queries.</param>
/// <param name="texts">Each document's chunks.</param>
/// <param name="talk">Where figures are shown as they come.</param>
/// <param name="cancellation">Ends it.</param>
internal sealed class RetrievalReport(OpenRetrieval opened, RetrievalConfig config, IReadOnlyList<RatedQuery> queries, IReadOnlyList<(string Id, string[] Chunks)> texts, TextWriter talk, CancellationToken cancellation)
{
    private const int Timed = 50;

    private readonly RetrievalEvaluation rating = new(opened.Index, queries, texts.SelectMany(item => item.Chunks.Select(text => (item.Id, text))).ToLookup(item => item.text, item => item.Id));
    private readonly JsonObject figures = new() { ["queries"] = queries.Count, ["documents"] = opened.Index.Documents.Count, ["chunks"] = opened.Index.Chunks };

    /// <summary>Rates the first stages, the second over each of them, and the index.</summary>
    public JsonObject Rate(IReranker? reranker)
    {
        var (lexical, dense, hybrid) = (opened.Retriever(OpenRetrieval.Lexical), opened.Retriever(OpenRetrieval.Dense), opened.Retriever(OpenRetrieval.Hybrid));
        Rate("bm25", lexical);
        Rate("dense", dense);
        Rate("hybrid", hybrid);
        if (reranker is not null)
        {
            Rate("rerank", new RerankedRetriever(dense, reranker, config.Reranker!.Candidates));
            Rate("hybridRerank", new RerankedRetriever(hybrid, reranker, config.Reranker.Candidates));
            Time(reranker);
        }
        var places = texts.SelectMany(item => item.Chunks.Select((text, number) => (item.Id, number, text))).ToList();
        var all = places.Zip(opened.Encoder.Passages([.. places.Select(item => new TextContent(item.text))])).ToDictionary(item => (item.First.Id, item.First.number), item => item.Second);
        var (milliseconds, recall) = rating.Exactness(opened.Encoder.Queries([.. queries.Take(200).Select(query => new TextContent(query.Text))]), all);
        (figures["searchP50Ms"], figures["indexRecall"]) = (Math.Round(milliseconds, 2), recall);
        talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"index: {milliseconds:0.0} ms a search (median), recall {recall:0.0000} against every vector"));
        return figures;
    }

    private void Rate(string name, IRetriever retriever)
    {
        var rated = rating.Rate(retriever, cancellation);
        figures[$"{name}Ndcg10"] = Math.Round(rated[""], 4);
        figures[$"{name}ByTask"] = RetrievalEvaluation.Json(rated);
        talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-12} nDCG@10 {rated[""]:0.000}  ({string.Join(", ", rated.Where(item => item.Key.Length > 0).OrderBy(item => item.Key).Select(item => $"{item.Key} {item.Value:0.000}"))})"));
    }

    /// <summary>Medians of putting the dense candidates in order, and of everything from the query on, in milliseconds.</summary>
    private void Time(IReranker reranker)
    {
        var dense = opened.Retriever(OpenRetrieval.Dense);
        var (second, both) = (new List<double>(), new List<double>());
        foreach (var query in queries.Take(Timed))
        {
            cancellation.ThrowIfCancellationRequested();
            var begun = Stopwatch.GetTimestamp();
            var found = dense.Retrieve(query.Text, config.Reranker!.Candidates);
            var between = Stopwatch.GetTimestamp();
            reranker.Rerank(query.Text, found);
            second.Add(Stopwatch.GetElapsedTime(between).TotalMilliseconds);
            both.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        (figures["rerankP50Ms"], figures["endToEndP50Ms"]) = (Math.Round(Median(second), 1), Math.Round(Median(both), 1));
        talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"reranker: {Median(second):0.0} ms for {config.Reranker!.Candidates} candidates (median), {Median(both):0.0} ms with encoding and search"));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
