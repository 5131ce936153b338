using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using PluginHost.Tools.Agents;
using PluginHost.Tools.Calls;

namespace PluginHost.Serving.Http;

/// <summary>
/// Which passages an answer refers to: where its text has the mark of a passage that a tool has found before, <c>message.annotations</c> says so. OpenAI's chat completions know annotations of the web
/// alone (<c>url_citation</c>); this is the same shape for documents, with the name that its other APIs have for them: <c>file_citation</c>.
/// </summary>
internal sealed partial class Annotations
{
    private const int Most = 1000;

    private readonly Dictionary<string, (JsonNode Passage, int From)?> known = [];

    /// <summary>Takes in what a tool gave.</summary>
    /// <param name="result">The result.</param>
    /// <param name="from">Characters of the answer before it, which cannot refer to it.</param>
    public void Add(FunctionResultContent result, int from)
    {
        var text = (result.AdditionalProperties?.GetValueOrDefault(AgentChat.Outcome) as ToolOutcome)?.Text ?? result.Result?.ToString() ?? "";
        foreach (var passage in PassageReader.Read(text)?["passages"]?.AsArray() ?? [])
        {
            var mark = (string)passage!["mark"]!;
            if (!known.TryGetValue(mark, out var other)) known[mark] = (passage, from);
            // A mark of two passages says nothing: better no citation than a wrong one.
            else if (other is { } one && (string)one.Passage["id"]! != (string)passage["id"]!) known[mark] = null;
        }
    }

    /// <summary>Writes <c>annotations</c>; without any, nothing.</summary>
    public void Write(Utf8JsonWriter writer, string text)
    {
        var cited = known.Count == 0 ? [] : Marks().Matches(text).Select(match => (Match: match, Known: known.GetValueOrDefault(match.Value)))
            .Where(item => item.Known is { } passage && item.Match.Index >= passage.From).Take(Most).ToList();
        if (cited.Count == 0) return;
        writer.WriteStartArray("annotations");
        foreach (var (match, passage) in cited)
        {
            writer.WriteStartObject();
            writer.WriteString("type", "file_citation");
            writer.WriteStartObject("file_citation");
            writer.WriteNumber("start_index", match.Index);
            writer.WriteNumber("end_index", match.Index + match.Length);
            writer.WriteString("file_id", Of(passage!.Value.Passage, "document"));
            writer.WriteString("filename", Of(passage.Value.Passage, "source"));
            writer.WriteString("place", Of(passage.Value.Passage, "place"));
            writer.WriteString("passage_id", Of(passage.Value.Passage, "id"));
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static string? Of(JsonNode passage, string name) => passage[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    [GeneratedRegex(@"\[[0-9]{1,5}\]")]
    private static partial Regex Marks();
}
