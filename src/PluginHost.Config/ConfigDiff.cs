using System.Text.Json.Nodes;
using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>A value that differs between two config trees.</summary>
/// <param name="Path">Where: <c>graph.fusion.settings.every</c>.</param>
/// <param name="Old">Its JSON before, or null when it is new.</param>
/// <param name="New">Its JSON now, or null when it is gone.</param>
public sealed record ConfigChange(string Path, string? Old, string? New)
{
    public override string ToString() => $"{Path}: {Old ?? "(none)"} -> {New ?? "(none)"}";
}

/// <summary>Compares config trees.</summary>
public static class ConfigDiff
{
    /// <summary>Every value that differs, in the order of the paths.</summary>
    public static IReadOnlyList<ConfigChange> Between(JsonElementNode before, JsonElementNode after)
    {
        var (old, now) = (Leaves(before), Leaves(after));
        return [.. old.Keys.Union(now.Keys).Order(StringComparer.Ordinal)
            .Select(path => new ConfigChange(path, old.GetValueOrDefault(path), now.GetValueOrDefault(path)))
            .Where(change => change.Old != change.New)];
    }

    private static Dictionary<string, string> Leaves(JsonElementNode config)
    {
        var leaves = new Dictionary<string, string>();
        Collect(JsonNode.Parse(config.ToJsonString()), "", leaves);
        return leaves;
    }

    private static void Collect(JsonNode? node, string path, Dictionary<string, string> leaves)
    {
        string Child(string name) => path.Length == 0 ? name : $"{path}.{name}";
        switch (node)
        {
            case JsonObject { Count: > 0 } members:
                foreach (var (name, value) in members) Collect(value, Child(name), leaves);
                break;
            case JsonArray { Count: > 0 } items when items.Any(item => item is JsonObject or JsonArray):
                for (var i = 0; i < items.Count; i++) Collect(items[i], Child($"{i}"), leaves);
                break;
            default:
                leaves[path] = node?.ToJsonString() ?? "null";
                break;
        }
    }
}
