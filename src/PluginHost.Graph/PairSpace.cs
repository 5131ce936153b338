namespace PluginHost.Graph;

/// <summary>The slots of a plan in which the vectors of queries and of passages stand.</summary>
/// <param name="Query">Of what reads <c>sample.query</c>.</param>
/// <param name="Passage">Of what reads <c>sample.passage</c>.</param>
public sealed record PairSpace(int Query, int Passage)
{
    /// <summary>
    /// The inputs <c>query</c> and <c>key</c> of the last objective that has both, where the graph reads pairs; null when there is none.
    /// </summary>
    public static PairSpace? Of(GraphPlan plan)
    {
        if (plan.SampleSlots[(int)SamplePort.Query] < 0 || plan.SampleSlots[(int)SamplePort.Passage] < 0) return null;
        return plan.Stages.SelectMany(stage => stage.Objectives).Select(objective => new PairSpace(Slot(objective.Node, "query"), Slot(objective.Node, "key"))).LastOrDefault(pair => pair is { Query: >= 0, Passage: >= 0 });
    }

    private static int Slot(PlannedNode node, string name) => node.Inputs.FirstOrDefault(input => input.Name == name)?.Slot ?? -1;
}
