using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieval;

/// <summary>Mines hard negatives: what a retriever brings for training queries and is no answer.</summary>
public static class NegativeMining
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file of JSON lines <c>{"prompt": ..., "wrong": [...]}</c>, whole or not at all.</summary>
    /// <param name="file">The file.</param>
    /// <param name="queries">Training queries with their answers.</param>
    /// <param name="retriever">What brings passages.</param>
    /// <param name="each">Negatives of a query at most, besides earlier ones.</param>
    /// <param name="earlier">Negatives that were mined before, by query: they come first.</param>
    /// <param name="progress">Told the queries so far.</param>
    /// <param name="cancellation">Ends it between queries.</param>
    public static void Write(string file, IReadOnlyList<RatedQuery> queries, IRetriever retriever, int each, IReadOnlyDictionary<string, string[]> earlier, Action<int> progress, CancellationToken cancellation)
    {
        // One prompt may be asked of several samples: what answers any of them is no negative.
        var right = queries.GroupBy(query => query.Text).ToDictionary(group => group.Key, group => group.SelectMany(query => query.Right).ToHashSet());
        AtomicFile.Write(file, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            var done = 0;
            foreach (var (query, wrong) in right.AsParallel().AsOrdered().WithCancellation(cancellation).Select(item => (item.Key, Wrong(item.Key, item.Value))))
            {
                if (wrong.Length > 0) writer.WriteLine(new JsonObject { ["prompt"] = query, ["wrong"] = new JsonArray([.. wrong.Select(text => (JsonNode?)text)]) }.ToJsonString(Plain));
                progress(++done);
            }
        });

        string[] Wrong(string query, HashSet<string> answers) => [.. earlier.GetValueOrDefault(query, [])
            .Concat(retriever.Retrieve(query, each + Math.Min(answers.Count, 100)).Select(found => found.Text).Where(text => !answers.Contains(text)).Distinct().Take(each))
            .Where(text => !answers.Contains(text)).Distinct()];
    }

    /// <summary>Reads such a file; nothing when there is none.</summary>
    public static IReadOnlyDictionary<string, string[]> Read(string file)
    {
        var wrong = new Dictionary<string, string[]>();
        if (!File.Exists(file)) return wrong;
        foreach (var line in File.ReadLines(file))
        {
            using var json = JsonDocument.Parse(line);
            wrong[json.RootElement.GetProperty("prompt").GetString()!] = [.. json.RootElement.GetProperty("wrong").EnumerateArray().Select(item => item.GetString()!)];
        }
        return wrong;
    }
}
