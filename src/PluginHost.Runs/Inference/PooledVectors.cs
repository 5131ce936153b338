using PluginHost.Data;
using PluginHost.Graph;
using static TorchSharp.torch;

namespace PluginHost.Runs.Inference;

/// <summary>What a tower makes of a batch, as vectors of length 1.</summary>
internal static class PooledVectors
{
    /// <summary>Runs the tower. Call it in a step, in a dispose scope, without gradients.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="steps">The steps that fill the slot.</param>
    /// <param name="slot">Where the tower's vectors are: [samples, width].</param>
    /// <param name="batch">The samples.</param>
    /// <returns>A vector for each sample; one of nothing is zeros.</returns>
    public static float[][] Of(ExecutableGraph graph, ExecutionStep[] steps, int slot, Batch batch)
    {
        var slots = graph.CreateSlots();
        SlotFiller.Fill(graph.Plan, batch, slots);
        ExecutableGraph.Run(steps, slots);
        var vectors = nn.functional.normalize(((Tensor)slots[slot]!).to(float32), 2, 1).cpu().contiguous(); // [samples, width]
        return [.. vectors.data<float>().ToArray().Chunk((int)vectors.size(1))];
    }
}
