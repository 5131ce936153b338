using System.Globalization;

namespace PluginHost.Config.Json;

/// <summary>Applies <c>--set path=value</c> to a tree: properties by name, array items by index, missing objects created.</summary>
internal static class JsonOverride
{
    public static JsonElementNode Apply(JsonElementNode root, string assignment, List<ConfigError> errors)
    {
        var location = new JsonLocation("--set", 0, 0, assignment);
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        var path = equals < 0 ? "" : assignment[..equals].Trim();
        if (path.StartsWith("$.", StringComparison.Ordinal)) path = path[2..];
        var steps = path.Split('.');
        if (steps.Any(string.IsNullOrEmpty))
        {
            errors.Add(new ConfigError(location, "an override is a path and a value, such as graph.fusion.use=fusion.late"));
            return root;
        }
        var text = assignment[(equals + 1)..];
        var value = JsonTreeReader.TryReadValue(text, location) ?? JsonElementNode.String(location, text);
        return Replace(root, steps, 0, value, location, errors);
    }

    private static JsonElementNode Replace(JsonElementNode? node, string[] steps, int depth, JsonElementNode value, JsonLocation location, List<ConfigError> errors)
    {
        if (depth == steps.Length) return value;
        if (node?.Kind == JsonKind.Array) return ReplaceItem(node, steps, depth, value, location, errors);
        var members = Members(node, steps, depth, location, errors);
        if (members is null) return node!;
        var index = members.FindIndex(member => member.Name == steps[depth]);
        var name = index < 0 ? location : members[index].NameLocation;
        var member = new JsonMember(steps[depth], name, Replace(index < 0 ? null : members[index].Value, steps, depth + 1, value, location, errors));
        if (index < 0) members.Add(member);
        else members[index] = member;
        return JsonElementNode.Object(node?.Kind == JsonKind.Object ? node.Location : location, members);
    }

    // A plain string stands for { "use": string }, so a path may go on below it.
    private static List<JsonMember>? Members(JsonElementNode? node, string[] steps, int depth, JsonLocation location, List<ConfigError> errors)
    {
        if (node is null || node.Kind == JsonKind.Null) return [];
        if (node.Kind == JsonKind.Object) return [.. node.Members];
        if (node.Kind == JsonKind.String) return [new JsonMember("use", node.Location, node)];
        errors.Add(new ConfigError(location, $"'{string.Join('.', steps[..depth])}' is {JsonObjectReader.Describe(node)}, so it has no '{steps[depth]}'"));
        return null;
    }

    private static JsonElementNode ReplaceItem(JsonElementNode array, string[] steps, int depth, JsonElementNode value, JsonLocation location, List<ConfigError> errors)
    {
        if (!int.TryParse(steps[depth], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= array.Items.Count)
        {
            var range = array.Items.Count == 0 ? "it is empty" : $"its items are 0 to {array.Items.Count - 1}";
            errors.Add(new ConfigError(location, $"'{steps[depth]}' is no item of '{string.Join('.', steps[..depth])}': {range}"));
            return array;
        }
        JsonElementNode[] items = [.. array.Items];
        items[index] = Replace(items[index], steps, depth + 1, value, location, errors);
        return JsonElementNode.Array(array.Location, items);
    }
}
