namespace PluginHost.Graph;

/// <summary>What training a plan costs by the plugins' own formulas.</summary>
/// <param name="Parameters">Trained parameters of nodes and objectives.</param>
/// <param name="ActivationFloats">Floats that the micro-batches under way at once keep for their backward passes.</param>
public sealed record PlanCost(long Parameters, long ActivationFloats)
{
    // Weight, gradient and the two moments of AdamW, four bytes each.
    private const long BytesPerParameter = 16;
    private const long BytesPerWeight = 4;
    private const long BytesPerActivation = 4;

    /// <summary>Bytes of the gradients and moments of parameters that are trained, without the parameters themselves.</summary>
    public static long TrainingBytes(long parameters) => parameters * (BytesPerParameter - BytesPerWeight);

    /// <summary>Bytes of weights, gradients and the optimizer.</summary>
    public long StateBytes => Parameters * BytesPerParameter;

    /// <summary>Bytes of what is kept for backward passes.</summary>
    public long ActivationBytes => ActivationFloats * BytesPerActivation;

    /// <summary>The cost of a plan; of its stages the one with the most micro-batches at once.</summary>
    public static PlanCost Of(GraphPlan plan)
    {
        var objectives = plan.Stages.SelectMany(stage => stage.Objectives).Select(objective => objective.Node).DistinctBy(node => (node.Name, node.Description.Id));
        return new(
            plan.Nodes.Concat(objectives).Sum(node => node.Parameters ?? 0),
            (plan.Nodes.Sum(node => node.ActivationFloats ?? 0) + plan.Stages.Select(Objectives).DefaultIfEmpty().Max()) * Parallel(plan));
    }

    /// <summary>The cost of a node alone; null when its plugin has no formula.</summary>
    public static PlanCost? Of(PlannedNode node) =>
        node.Parameters is null && node.ActivationFloats is null ? null : new(node.Parameters ?? 0, node.ActivationFloats ?? 0);

    private static long Objectives(PlannedStage stage) => stage.Objectives.Sum(objective => objective.Node.ActivationFloats ?? 0);

    /// <summary>The most micro-batches that a stage runs at once.</summary>
    public static int Parallel(GraphPlan plan) => plan.Stages.Select(stage => stage.Config.Parallel).DefaultIfEmpty(1).Max();
}
