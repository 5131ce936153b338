using System.Diagnostics;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// The micro-batches of a step. Their loss is Σ over objectives of weight · (Σ loss / Σ count), both sums over the whole window:
/// exact to the token, however the tokens are spread. Owns the batches.
/// </summary>
internal sealed class AccumulationWindow : IDisposable
{
    private readonly IReadOnlyList<Batch> batches;

    private AccumulationWindow(IReadOnlyList<Batch> batches) => this.batches = batches;

    public IReadOnlyList<Batch> Batches => batches;

    /// <summary>Tokens of text that the graph reads.</summary>
    public long Tokens { get; private init; }

    /// <exception cref="RunFailedException">The data ends.</exception>
    public static AccumulationWindow Take(IEnumerator<Batch> stream, int count, GraphPlan plan)
    {
        var batches = new Batch[count];
        for (var i = 0; i < count; i++)
        {
            if (!stream.MoveNext()) throw new RunFailedException("The split 'train' has no usable sample.");
            batches[i] = stream.Current;
        }
        return new AccumulationWindow(batches) { Tokens = batches.Sum(batch => SlotFiller.Tokens(plan, batch)) };
    }

    /// <summary>Gathers the window's gradients in the optimizer; returns each objective's loss, times its own weight; none of an objective that has nothing to learn from.</summary>
    public IReadOnlyDictionary<string, double> Differentiate(TrainedGraph trained)
    {
        var counts = Counts(trained);
        var parts = trained.Objectives.Where((_, o) => counts[o] > 0).ToDictionary(objective => objective.Name, _ => 0.0);
        var weights = trained.Balance?.Weights();
        var began = Stopwatch.GetTimestamp();
        var results = trained.MicroBatches.Run(batches, batch => Differentiate(trained, batch, counts, weights));
        trained.Profile?.AddCompute(began);
        foreach (var (shares, gradients, shared) in results)
        {
            for (var o = 0; o < shares.Length; o++)
                if (counts[o] > 0) parts[trained.Objectives[o].Name] += shares[o];
            trained.Optimizer.Accumulate(gradients);
            trained.Balance?.Add(shared);
        }
        trained.Graph.CheckBackward();
        return parts;
    }

    /// <summary>The denominator of each objective over the whole window.</summary>
    public double[] Counts(TrainedGraph trained)
    {
        var counts = new double[trained.Objectives.Count];
        foreach (var batch in batches)
            using (NewDisposeScope())
            {
                var slots = Fill(trained.Graph, batch);
                for (var o = 0; o < counts.Length; o++) counts[o] += trained.Objectives[o].Objective.Count(Inputs(trained.Objectives[o], slots));
            }
        return counts;
    }

    public void Dispose()
    {
        foreach (var batch in batches) batch.Dispose();
    }

    /// <summary>Slots that hold a batch and nothing else yet.</summary>
    public static object?[] Fill(ExecutableGraph graph, Batch batch)
    {
        var slots = graph.CreateSlots();
        SlotFiller.Fill(graph.Plan, batch, slots);
        return slots;
    }

    /// <summary>What an objective reads.</summary>
    public static object?[] Inputs(BuiltObjective objective, object?[] slots)
    {
        var inputs = new object?[objective.InputSlots.Length];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = objective.InputSlots[i] < 0 ? null : slots[objective.InputSlots[i]];
        return inputs;
    }

    /// <summary>A micro-batch's share of each objective's loss, and its gradients in the order of the optimizer's parameters.</summary>
    private static (double[] Shares, IReadOnlyList<Tensor?> Gradients, Tensor?[][] Shared) Differentiate(TrainedGraph trained, Batch batch, double[] counts, double[]? weights)
    {
        using var scope = NewDisposeScope();
        using var trace = trained.Profile?.Watch(trained.Precision);
        using var _ = Arithmetic.Use(trace ?? trained.Precision.Arithmetic);
        var slots = Fill(trained.Graph, batch);
        ExecutableGraph.Run(trained.CreateSteps(), slots, trace ?? (INodeBoundary?)trained.Precision.Scales);
        var (shares, terms) = (new double[counts.Length], new Tensor?[counts.Length]);
        Tensor? loss = null;
        for (var o = 0; o < counts.Length; o++)
        {
            if (counts[o] == 0) continue;
            var objective = trained.Objectives[o];
            trace?.EnterObjective(objective.Name);
            var share = objective.Objective.Sum(Inputs(objective, slots)) * (objective.Weight / counts[o]);
            if (trace is not null) share = trace.LeaveObjective(share);
            shares[o] = share.ToDouble();
            terms[o] = share;
            if (weights is not null) share *= weights[o];
            loss = loss is null ? share : loss + share;
        }
        // Often the largest tensor of a step; the gradients need its shape alone.
        if (trained.Graph.Plan.DecoderNode is { } decoder) (slots[decoder.Outputs[0].Slot] as Tensor)?.Dispose();
        if (loss is not { requires_grad: true }) return (shares, [], []);
        trace?.EnterBackward();
        var shared = trained.Balance?.Gradients(terms) ?? [];
        var gradients = trained.Optimizer.Gradients(loss);
        trace?.LeaveBackward();
        return (shares, gradients, shared);
    }
}
