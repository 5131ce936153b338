using PluginHost.Catalog.Health;
using PluginHost.Sdk;

namespace PluginHost.Graph;

/// <summary>One node's turn: which slots it reads and writes. Its arrays are made once, so one thread runs it at a time.</summary>
public sealed class ExecutionStep
{
    private readonly PlannedNode plan;
    private readonly IGraphNode node;
    private readonly PluginHealth health;
    private readonly int[] inputSlots;
    private readonly int[] outputSlots;
    private readonly object?[] inputs;
    private readonly object?[] outputs;

    internal ExecutionStep(PlannedNode plan, IGraphNode node, PluginHealth health)
    {
        this.plan = plan;
        this.health = health;
        this.node = node;
        inputSlots = [.. plan.Inputs.Select(input => input.Slot)];
        outputSlots = [.. plan.Outputs.Select(output => output.Slot)];
        inputs = new object?[inputSlots.Length];
        outputs = new object?[outputSlots.Length];
    }

    /// <summary>The same step for another thread.</summary>
    internal ExecutionStep Copy() => new(plan, node, health);

    /// <summary>The node's name.</summary>
    public string Name => plan.Name;

    internal IReadOnlyList<int> InputSlots => inputSlots;

    internal IReadOnlyList<int> OutputSlots => outputSlots;

    internal void Run(object?[] slots)
    {
        for (var i = 0; i < inputSlots.Length; i++) inputs[i] = inputSlots[i] < 0 ? null : slots[inputSlots[i]];
        var began = health.Begin();
        try
        {
            node.Run(inputs, outputs);
        }
        catch (Exception error)
        {
            throw GraphExecutionException.Contain(error, plan, health, began, inputs);
        }
        health.End(began);
        for (var i = 0; i < outputSlots.Length; i++) slots[outputSlots[i]] = outputs[i];
        // The values belong to the caller's dispose scope; holding on to the wrappers would only keep them from the collector.
        Array.Clear(inputs);
        Array.Clear(outputs);
    }
}
