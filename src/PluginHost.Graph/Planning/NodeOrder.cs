using PluginHost.Config;

namespace PluginHost.Graph.Planning;

/// <summary>Puts nodes behind those they read from, otherwise in config order.</summary>
internal static class NodeOrder
{
    public static IReadOnlyList<DraftNode> Sort(IReadOnlyList<DraftNode> nodes, List<ConfigError> errors)
    {
        var order = new List<DraftNode>();
        var path = new List<DraftNode>();
        foreach (var node in nodes)
            if (!Visit(node, order, path, errors)) break;
        return order;
    }

    // Recursion is as deep as the longest chain of nodes that a person wrote.
    private static bool Visit(DraftNode node, List<DraftNode> order, List<DraftNode> path, List<ConfigError> errors)
    {
        if (order.Contains(node)) return true;
        var start = path.IndexOf(node);
        if (start >= 0)
        {
            var cycle = path[start..].Select(item => item.Name).Reverse();
            errors.Add(new ConfigError(node.Location, $"the graph has a cycle: {string.Join(" -> ", cycle.Prepend(node.Name))}; values flow one way, so one of these wires must go"));
            return false;
        }
        path.Add(node);
        foreach (var source in node.Sources)
            if (!Visit(source, order, path, errors)) return false;
        path.RemoveAt(path.Count - 1);
        order.Add(node);
        return true;
    }
}
