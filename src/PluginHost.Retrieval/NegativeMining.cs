using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieval;

/// <summary>Queries and what brings passages for them.</summary>
/// <param name="Queries">The queries.</param>
/// <param name="Retriever">What brings passages.</param>
public sealed record MiningPart(IReadOnlyList<RatedQuery> Queries, IRetriever Retriever);

/// <summary>Mines hard negatives: what a retriever brings for queries and is no answer.</summary>
public static class NegativeMining
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Writes a file of JSON lines <c>{"prompt": ..., "right": [...], "wrong": [...]}</c>, one for each query, whole or not at all: of what the retriever brings, what answers the query and what
    /// does not. A model that puts the retriever's findings in order only ever sees those answers.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="queries">All queries with their answers.</param>
    /// <param name="parts">All queries, in parts with what brings passages for each; one part is begun when the one before it is done. A prompt that is in several is asked in the first.</param>
    /// <param name="each">Passages that are asked for.</param>
    /// <param name="progress">Told the queries so far.</param>
    /// <param name="cancellation">Ends it between queries.</param>
    public static void Write(string file, IReadOnlyList<RatedQuery> queries, IEnumerable<MiningPart> parts, int each, Action<int> progress, CancellationToken cancellation)
    {
        // One prompt may be asked of several samples: what answers any of them is no negative.
        var right = queries.GroupBy(query => query.Text).ToDictionary(group => group.Key, group => group.SelectMany(query => query.Right).ToHashSet());
        AtomicFile.Write(file, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            var done = 0;
            var asked = new HashSet<string>();
            foreach (var (part, retriever) in parts)
                foreach (var (query, found) in part.Select(query => query.Text).Where(asked.Add).ToArray().AsParallel().AsOrdered().WithCancellation(cancellation)
                    .Select(query => (query, retriever.Retrieve(query, each).Select(chunk => chunk.Text).Distinct())))
                {
                    var answers = found.ToLookup(right[query].Contains);
                    writer.WriteLine(new JsonObject { ["prompt"] = query, ["right"] = Texts(answers[true]), ["wrong"] = Texts(answers[false]) }.ToJsonString(Plain));
                    progress(++done);
                }
        });
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode?)text)]);
}
