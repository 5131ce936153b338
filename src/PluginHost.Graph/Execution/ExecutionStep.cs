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

    internal ExecutionStep(ExecutableGraph graph, PlannedNode plan, IGraphNode node, PluginHealth health)
    {
        Graph = graph;
        this.plan = plan;
        this.health = health;
        this.node = node;
        inputSlots = [.. plan.Inputs.Select(input => input.Slot)];
        outputSlots = [.. plan.Outputs.Select(output => output.Slot)];
        inputs = new object?[inputSlots.Length];
        outputs = new object?[outputSlots.Length];
    }

    /// <summary>The same step for another thread.</summary>
    internal ExecutionStep Copy() => new(Graph, plan, node, health);

    /// <summary>The node's name.</summary>
    public string Name => plan.Name;

    /// <summary>What was planned for the node.</summary>
    public PlannedNode Plan => plan;

    /// <summary>Whether it reads a slot.</summary>
    public bool Reads(int slot) => slot >= 0 && inputSlots.Contains(slot);

    internal ExecutableGraph Graph { get; }

    internal IReadOnlyList<int> InputSlots => inputSlots;

    internal IReadOnlyList<int> OutputSlots => outputSlots;

    internal void Run(object?[] slots, INodeBoundary? boundary)
    {
        for (var i = 0; i < inputSlots.Length; i++) inputs[i] = inputSlots[i] < 0 ? null : slots[inputSlots[i]];
        if (boundary is not null)
            for (var i = 0; i < inputSlots.Length; i++) inputs[i] = boundary.Enter(this, i, inputs[i]);
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
        if (boundary is not null)
            for (var i = 0; i < outputSlots.Length; i++) outputs[i] = boundary.Leave(this, i, outputs[i]);
        for (var i = 0; i < outputSlots.Length; i++) slots[outputSlots[i]] = outputs[i];
        // The values belong to the caller's dispose scope; holding on to the wrappers would only keep them from the collector.
        Array.Clear(inputs);
        Array.Clear(outputs);
    }
}

/// <summary>Sees, and may replace, each value that enters or leaves a node. Called on the thread that runs the graph.</summary>
public interface INodeBoundary
{
    /// <summary>A value enters a node.</summary>
    /// <param name="step">The node.</param>
    /// <param name="input">Index of its input.</param>
    /// <param name="value">The value; null for an input that is not wired.</param>
    /// <returns>What the node gets.</returns>
    object? Enter(ExecutionStep step, int input, object? value);

    /// <summary>A value leaves a node.</summary>
    /// <param name="step">The node.</param>
    /// <param name="output">Index of its output.</param>
    /// <param name="value">The value.</param>
    /// <returns>What the nodes after it get.</returns>
    object? Leave(ExecutionStep step, int output, object? value);
}
