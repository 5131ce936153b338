using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// Finds who is to blame when a loss or a gradient is not a finite number: the step is done again, node by node, and the first that
/// makes something not finite of finite values is named. Each reader of a value gets an alias of its own, so that the gradients
/// which different readers send back stay apart.
/// </summary>
internal sealed class NonFiniteSearch(TrainedGraph trained) : INodeBoundary
{
    private readonly List<(PlannedNode Node, string Tensor, Tensor Alias)> entered = [];
    private string? verdict;

    /// <summary>A sentence that names node, plugin and tensor. Torch's generator should be where it was at the step.</summary>
    public string Run(AccumulationWindow window)
    {
        foreach (var (name, value) in trained.Graph.Parameters)
            if (Describe(value) is { } what) return $"The parameter '{name}' {what} before the step.";
        using var _ = Arithmetic.Use(trained.Precision.Arithmetic);
        var counts = window.Counts(trained);
        foreach (var batch in window.Batches)
            using (NewDisposeScope())
                if (Examine(batch, counts) is { } found) return found;
        return "Each micro-batch by itself is finite when the step is done again: only their sum is not.";
    }

    object? INodeBoundary.Enter(ExecutionStep step, int input, object? value)
    {
        var port = step.Plan.Inputs[input];
        return Watch(step.Plan, port.Name, value, $"The data that enters {Title(step.Plan)} as '{port.Name}'");
    }

    object? INodeBoundary.Leave(ExecutionStep step, int output, object? value)
    {
        if (TensorOf(value) is { } tensor && Describe(tensor) is { } what)
            verdict ??= $"The first to blame is {Title(step.Plan)}: its output '{step.Plan.Outputs[output].Name}' {what}, from finite inputs.";
        return value;
    }

    private string? Examine(Batch batch, double[] counts)
    {
        entered.Clear();
        verdict = null;
        var slots = AccumulationWindow.Fill(trained.Graph, batch);
        foreach (var step in trained.CreateSteps())
        {
            ExecutableGraph.Run([step], slots, this);
            if (verdict is not null) return verdict + Samples(batch);
        }
        var planned = trained.Graph.Plan.Stages[trained.Index].Objectives;
        Tensor? loss = null;
        for (var o = 0; o < counts.Length; o++)
        {
            if (counts[o] == 0) continue;
            var node = planned[o].Node;
            object?[] inputs = [.. AccumulationWindow.Inputs(trained.Objectives[o], slots).Select((value, i) => Watch(node, node.Inputs[i].Name, value, ""))];
            var share = trained.Objectives[o].Objective.Sum(inputs) * (trained.Objectives[o].Weight / counts[o]);
            if (Describe(share) is { } what) return $"The first to blame is the objective {Title(node)}: its loss {what}, from finite inputs.{Samples(batch)}";
            loss = loss is null ? share : loss + share;
        }
        return loss is { requires_grad: true } && Backward(loss) is { } gradient ? gradient + Samples(batch) : null;
    }

    // Gradients flow against the order of the nodes: whoever read last is looked at first.
    private string? Backward(Tensor loss)
    {
        var parameters = trained.Graph.Parameters.Where(parameter => parameter.Value.requires_grad).ToArray();
        var gradients = autograd.grad([loss], [.. entered.Select(item => item.Alias), .. parameters.Select(item => item.Value)], allow_unused: true);
        var readers = entered.Select(item => item.Node).Concat(trained.Graph.Nodes.Select(node => node.Plan)).Distinct().ToList();
        foreach (var node in Enumerable.Reverse(Ordered(readers)))
        {
            var prefix = trained.Graph.Plan.Nodes.Contains(node) ? $"{node.Name}." : $"objectives.{node.Name}.";
            for (var i = 0; i < gradients.Count; i++)
            {
                var mine = i < entered.Count ? entered[i].Node == node : parameters[i - entered.Count].Name.StartsWith(prefix, StringComparison.Ordinal);
                if (!mine || gradients[i] is not { IsInvalid: false } gradient || Describe(gradient) is not { } what) continue;
                var of = i < entered.Count ? $"its input '{entered[i].Tensor}'" : $"'{parameters[i - entered.Count].Name}'";
                return $"The first to blame is {Title(node)}: its gradient of {of} {what}, from finite gradients of what it gives.";
            }
        }
        return null;
    }

    private List<PlannedNode> Ordered(List<PlannedNode> readers) =>
        [.. trained.Graph.Plan.Nodes.Where(readers.Contains), .. readers.Where(node => !trained.Graph.Plan.Nodes.Contains(node))];

    private object? Watch(PlannedNode node, string port, object? value, string data)
    {
        if (TensorOf(value) is not { } tensor) return value;
        if (!tensor.requires_grad)
        {
            if (data.Length > 0 && Describe(tensor) is { } what) verdict ??= $"{data} {what}.";
            return value;
        }
        var alias = tensor.alias();
        entered.Add((node, port, alias));
        return value is Masked masked ? masked with { Data = alias } : alias;
    }

    private static Tensor? TensorOf(object? value) => (value as Tensor ?? (value as Masked)?.Data) is { } tensor && is_floating_point(tensor) ? tensor : null;

    /// <summary>What is wrong with a tensor, or null.</summary>
    private static string? Describe(Tensor tensor)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var bad = tensor.isfinite().logical_not().sum().ToInt64();
        if (bad == 0) return null;
        var kind = tensor.isnan().any().ToBoolean() ? "NaN" : "infinite";
        return tensor.numel() == 1 ? $"is {kind}" : $"[{string.Join(",", tensor.shape)}] has {bad} values that are {kind}";
    }

    private static string Title(PlannedNode node) => $"'{node.Name}' ({node.Description.Id} {node.Description.Version})";

    private static string Samples(Batch batch) => $" Samples: {string.Join(", ", batch.Samples.Take(4).Select(sample => sample.Id))}{(batch.Samples.Count > 4 ? ", ..." : "")}.";
}
