namespace PluginHost.Graph;

/// <summary>
/// The space into which a plan's contrastive objectives bring the pooled vectors of its encoders. Such an objective has the inputs <c>query</c> and
/// <c>key</c>, whatever plugin it is.
/// </summary>
public static class SharedSpace
{
    /// <summary>
    /// The slot of the pooled vector of captions, and of each medium that an objective draws near to them; of several text towers the one that was
    /// trained last. Empty when there is none. A tower counts when it reads its modality and nothing else.
    /// </summary>
    public static IReadOnlyDictionary<SamplePort, int> Of(GraphPlan plan)
    {
        var reads = Reads(plan);
        SamplePort? Only(int slot) => reads.TryGetValue(slot, out var ports) && ports.Count == 1 ? ports.Single() : null;
        var pairs = plan.Stages.SelectMany(stage => stage.Objectives).Select(objective => Pair(objective.Node)).OfType<(int Query, int Key)>()
            .SelectMany(pair => new[] { pair, (Query: pair.Key, Key: pair.Query) }).Where(pair => Only(pair.Query) == SamplePort.Caption && Only(pair.Key) is not null and not SamplePort.Caption).ToArray();
        var space = new Dictionary<SamplePort, int>();
        if (pairs.Length == 0) return space;
        var text = pairs[^1].Query;
        space[SamplePort.Caption] = text;
        foreach (var (query, key) in pairs)
            if (query == text) space[Only(key)!.Value] = key;
        return space;
    }

    private static (int Query, int Key)? Pair(PlannedNode objective)
    {
        int Slot(string name) => objective.Inputs.FirstOrDefault(input => input.Name == name)?.Slot ?? -1;
        return Slot("query") is >= 0 and var query && Slot("key") is >= 0 and var key ? (query, key) : null;
    }

    // Which of the sample's ports a slot's value comes from.
    private static Dictionary<int, HashSet<SamplePort>> Reads(GraphPlan plan)
    {
        var reads = new Dictionary<int, HashSet<SamplePort>>();
        foreach (var port in SamplePorts.All)
            if (plan.SampleSlots[(int)port] is >= 0 and var slot) reads[slot] = [port];
        foreach (var node in plan.Nodes)
        {
            var ports = node.Inputs.Where(input => input.Slot >= 0).SelectMany(input => reads[input.Slot]).ToHashSet();
            foreach (var output in node.Outputs) reads[output.Slot] = ports;
        }
        return reads;
    }
}
