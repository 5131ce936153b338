using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Serving.Documents;

/// <summary>What callers attach to files and stores: a few texts, numbers and truth values by name.</summary>
internal static class FileAttributes
{
    private const int MostNames = 16;
    private const int LongestName = 64;
    private const int LongestText = 512;

    /// <summary>Reads <c>attributes</c> of a file or <c>metadata</c> of a store, as a JSON object; null: the body has none.</summary>
    /// <param name="reader">The body.</param>
    /// <param name="name">The property.</param>
    /// <param name="textsAlone">Whether only texts are allowed.</param>
    /// <param name="errors">Where mistakes go.</param>
    public static string? Read(JsonObjectReader reader, string name, bool textsAlone, List<ConfigError> errors)
    {
        if (reader.Value(name) is not { } node) return null;
        var members = reader.Members(name);
        if (members.Count > MostNames) errors.Add(new ConfigError(node.Location, $"'{name}' has {members.Count} entries; {MostNames} are the most"));
        var read = new JsonObject();
        foreach (var member in members.Take(MostNames))
        {
            var fits = member.Value.Kind == JsonKind.String || (!textsAlone && member.Value.Kind is JsonKind.Number or JsonKind.Boolean && (member.Value.Kind == JsonKind.Boolean || member.Value.TryGetDouble(out _)));
            if (member.Name.Length is 0 or > LongestName) errors.Add(new ConfigError(member.NameLocation, $"a name in '{name}' has 1 to {LongestName} characters"));
            else if (!fits) errors.Add(new ConfigError(member.Value.Location, $"'{member.Name}' is {(textsAlone ? "a text" : "a text, a number or a truth value")}, not {JsonObjectReader.Describe(member.Value)}"));
            else if (member.Value.Text.Length > LongestText) errors.Add(new ConfigError(member.Value.Location, $"'{member.Name}' has {member.Value.Text.Length} characters; {LongestText} are the most"));
            else read[member.Name] = JsonValue.Create(Element(member.Value));
        }
        return read.ToJsonString();
    }

    /// <summary>A text, number or truth value of a body as an element.</summary>
    public static JsonElement Element(JsonElementNode node)
    {
        using var parsed = JsonDocument.Parse(node.Kind == JsonKind.String ? JsonSerializer.Serialize(node.Text) : node.Text);
        return parsed.RootElement.Clone();
    }

    /// <summary>Attributes as they are kept.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Parse(string json)
    {
        using var parsed = JsonDocument.Parse(json);
        return parsed.RootElement.EnumerateObject().ToDictionary(item => item.Name, item => item.Value.Clone());
    }
}
