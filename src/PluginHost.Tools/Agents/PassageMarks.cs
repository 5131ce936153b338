using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;

namespace PluginHost.Tools.Agents;

/// <summary>Numbers the marks of passages (<see cref="PassageList"/>) on from call to call of one answer, so that a mark is one passage's: the same passage found again keeps its mark.</summary>
internal sealed class PassageMarks
{
    private readonly Dictionary<string, string> marks = [];

    /// <summary>A result with marks of this answer; whatever is no list of passages stays as it is.</summary>
    public ToolOutcome Numbered(ToolOutcome outcome)
    {
        if (outcome.IsError || outcome.Cut || PassageReader.Read(outcome.Text) is not { } list) return outcome;
        lock (marks)
            foreach (var passage in list["passages"]!.AsArray())
            {
                var id = (string)passage!["id"]!;
                if (!marks.TryGetValue(id, out var mark)) marks[id] = mark = PassageList.Mark(marks.Count + 1);
                passage["mark"] = mark;
            }
        return outcome with { Text = ToolText.Of(list, int.MaxValue).Text };
    }
}

/// <summary>Reads what tools give as passages.</summary>
public static class PassageReader
{
    /// <summary>The list, if a text is one whose passages all have a mark and an id; else null.</summary>
    public static JsonObject? Read(string text)
    {
        if (!text.StartsWith('{')) return null;
        try
        {
            return JsonNode.Parse(text) is JsonObject list && list["passages"] is JsonArray { Count: > 0 } passages && passages.All(IsPassage) ? list : null;
        }
        catch (Exception error) when (error is JsonException or ArgumentException) // ArgumentException: a name twice
        {
            return null;
        }
    }

    private static bool IsPassage(JsonNode? passage) => passage is JsonObject one && IsText(one["mark"]) && IsText(one["id"]);

    private static bool IsText(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out _);
}
