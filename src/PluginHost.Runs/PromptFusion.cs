using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Runs;

/// <summary>What comes before a decoder reads a prompt: the encoders and the fusion of its batch.</summary>
internal static class PromptFusion
{
    /// <summary>The steps that make the decoder's context; none where it has none. One thread runs them at a time.</summary>
    public static ExecutionStep[] Steps(ExecutableGraph graph) => graph.StepsFor([graph.DecoderContextSlot]);

    /// <summary>Runs them. Call it in a dispose scope that outlives the answer.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="steps">Its <see cref="Steps"/>.</param>
    /// <param name="batch">The prompts with their media.</param>
    /// <param name="adapter">The adapter that answers, whatever is attached to the graph; null: what is attached.</param>
    /// <returns>What the batch is read with, and what the adapter adds in each call.</returns>
    public static (IFusionContext? Context, AdapterSet? Adapters) Run(ExecutableGraph graph, ExecutionStep[] steps, Batch batch, ITuning? adapter = null)
    {
        using var pass = StepGate.Enter();
        var slots = graph.CreateSlots();
        SlotFiller.Fill(graph.Plan, batch, slots);
        var adapters = graph.Tunings.For(slots, adapter);
        using var _ = AdapterSet.Use(adapters);
        ExecutableGraph.Run(steps, slots);
        return (graph.DecoderContextSlot < 0 ? null : (IFusionContext?)slots[graph.DecoderContextSlot], adapters);
    }
}
