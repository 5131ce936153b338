using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tools.OpenApi;

/// <summary>Makes a schema of a document stand alone, and one that stood alone a part of a document.</summary>
internal static class OpenApiReferences
{
    private const string Components = "#/components/schemas/";

    /// <summary>Brings along under <c>$defs</c> what a schema refers to in a document's components.</summary>
    public static void Bring(JsonObject schema, JsonObject components)
    {
        var brought = new JsonObject();
        var open = new Queue<string>(Rename(schema));
        while (open.TryDequeue(out var name))
        {
            if (brought.ContainsKey(name) || components[name]?.DeepClone() is not { } component) continue;
            brought[name] = component;
            foreach (var next in Rename(component)) open.Enqueue(next);
        }
        if (brought.Count > 0) schema["$defs"] = brought;
    }

    /// <summary>Moves references within a schema to where the schema stands in a document.</summary>
    public static void Move(JsonNode? node, string place) => Each(node, reference => reference == "#" || reference.StartsWith("#/", StringComparison.Ordinal) ? place + reference[1..] : reference);

    private static List<string> Rename(JsonNode node)
    {
        var names = new List<string>();
        Each(node, reference =>
        {
            if (!reference.StartsWith(Components, StringComparison.Ordinal)) return reference;
            names.Add(reference[Components.Length..]);
            return "#/$defs/" + names[^1];
        });
        return names;
    }

    private static void Each(JsonNode? node, Func<string, string> change)
    {
        if (node is JsonArray items)
            foreach (var item in items) Each(item, change);
        if (node is not JsonObject members) return;
        foreach (var (name, value) in members.ToList())
        {
            if (name == "$ref" && value is JsonValue text && text.TryGetValue<string>(out var reference)) members[name] = change(reference);
            else Each(value, change);
        }
    }
}
