using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs;

/// <summary>Tries a graph on two samples: whatever its objectives and its decoder read has to come out as finite numbers.</summary>
public sealed class GraphProbe(Dataset data)
{
    /// <exception cref="RunFailedException">A value is not finite.</exception>
    /// <exception cref="GraphExecutionException">A node threw.</exception>
    public void Try(ExecutableGraph graph)
    {
        var samples = data.Load(data.Source.Splits[0], 2, []);
        if (samples.Count == 0) return;
        using var pass = StepGate.Enter();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var batch = data.CollateTurns(samples, [], 2, 0, SlotFiller.Candidates(graph.Plan, 2));
        graph.Train(false);
        var slots = graph.CreateSlots();
        SlotFiller.Fill(graph.Plan, batch, slots);
        int[] wanted = [.. graph.Plan.Nodes.SelectMany(node => node.Outputs).Select(output => output.Slot)];
        ExecutableGraph.Run(graph.StepsFor(wanted), slots);
        foreach (var node in graph.Plan.Nodes)
            foreach (var output in node.Outputs)
                if (slots[output.Slot] is Tensor value && is_floating_point(value) && !isfinite(value).all().ToBoolean())
                    throw new RunFailedException($"'{node.Name}' gives numbers on its first batch that are not finite ({output.Name})");
    }
}
