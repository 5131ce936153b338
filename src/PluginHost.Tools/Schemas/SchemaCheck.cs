using PluginHost.Sdk;

namespace PluginHost.Tools.Schemas;

/// <summary>Refuses schemas that no value satisfies, and those that go round in a circle without ever looking at a value.</summary>
internal static class SchemaCheck
{
    /// <summary>Notes what excludes itself within one schema.</summary>
    public static void Bounds(SchemaNode node, string place)
    {
        var low = Math.Max(node.Minimum ?? double.NegativeInfinity, node.AboveMinimum ?? double.NegativeInfinity);
        var high = Math.Min(node.Maximum ?? double.PositiveInfinity, node.BelowMaximum ?? double.PositiveInfinity);
        var types = node.Types;
        string? Without(SchemaTypes type, string why)
        {
            types &= ~type;
            return types == SchemaTypes.None ? $"{place}: {why}" : null;
        }
        if (node.Types == SchemaTypes.None) node.Impossible ??= $"{place}: 'type' is empty";
        if (node.Choices is { } choices && !choices.Any(choice => SchemaValidation.Allows(node, choice))) node.Impossible ??= $"{place}: none of its values satisfies the rest of it";
        if (low > high || (low == high && (node.AboveMinimum == low || node.BelowMaximum == high))) node.Impossible ??= Without(SchemaTypes.Number | SchemaTypes.Integer, $"no number is from {low} to {high}");
        if (node.MinLength > node.MaxLength) node.Impossible ??= Without(SchemaTypes.String, $"no text has {node.MinLength} to {node.MaxLength} characters");
        if (node.MinItems > node.MaxItems) node.Impossible ??= Without(SchemaTypes.Array, $"no list has {node.MinItems} to {node.MaxItems} items");
    }

    /// <exception cref="UserErrorException">Nothing satisfies the schema, or it refers to itself without end, or a default is not allowed by its own schema.</exception>
    public static void Run(SchemaNode root)
    {
        var all = All(root);
        if (!Ends(all)) throw new UserErrorException("parameters refer to themselves without end: a $ref leads back to its own schema and no value lies between");
        if (!Possible(all).Contains(root))
            throw new UserErrorException($"no value can satisfy the parameters{(all.FirstOrDefault(node => node.Impossible is not null) is { } node ? $": {node.Impossible}" : ": something that is required contains itself")}");
        foreach (var node in all)
            if (node.Default is { } value && !SchemaValidation.Allows(node, value)) throw new UserErrorException($"the default {value.GetRawText()} is not allowed by its own schema");
    }

    private static List<SchemaNode> All(SchemaNode root)
    {
        var known = new HashSet<SchemaNode> { root };
        var all = new List<SchemaNode> { root };
        for (var i = 0; i < all.Count; i++)
            all.AddRange(all[i].Beside.Concat(all[i].Within).Where(known.Add));
        return all;
    }

    // Schemas of one and the same value form no circle: the nodes can be taken away one by one, those first that lead to none.
    private static bool Ends(List<SchemaNode> all)
    {
        var left = all.ToDictionary(node => node, node => node.Beside.Distinct().Count());
        var before = all.ToDictionary(node => node, _ => new List<SchemaNode>());
        foreach (var node in all)
            foreach (var next in node.Beside.Distinct()) before[next].Add(node);
        var free = new Queue<SchemaNode>(all.Where(node => left[node] == 0));
        var gone = 0;
        for (; free.TryDequeue(out var node); gone++)
            foreach (var earlier in before[node])
                if (--left[earlier] == 0) free.Enqueue(earlier);
        return gone == all.Count;
    }

    // Grows from values that contain nothing: what is never reached would have to contain itself.
    private static HashSet<SchemaNode> Possible(List<SchemaNode> all)
    {
        var possible = new HashSet<SchemaNode>();
        for (var before = -1; before < possible.Count;)
        {
            before = possible.Count;
            foreach (var node in all)
                if (!possible.Contains(node) && IsPossible(node, possible)) possible.Add(node);
        }
        return possible;
    }

    private static bool IsPossible(SchemaNode node, HashSet<SchemaNode> possible)
    {
        if (node.Impossible is not null || !node.All.All(possible.Contains)) return false;
        if (node.Any is { } any && !any.Any(possible.Contains)) return false;
        if (node.One is { } one && !one.Any(possible.Contains)) return false;
        if ((node.Types & ~(SchemaTypes.Object | SchemaTypes.Array)) != 0) return true;
        if (node.Types.HasFlag(SchemaTypes.Array) && (node.MinItems == 0 || node.Items is null || possible.Contains(node.Items))) return true;
        return node.Types.HasFlag(SchemaTypes.Object) && node.Required.All(name => (node.Properties.TryGetValue(name, out var property) ? property : node.Others) is not { } schema || possible.Contains(schema));
    }
}
