using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Inference;

/// <summary>What a graph's ranking objective thinks of candidate answers.</summary>
/// <param name="graph">The graph with its weights; not disposed.</param>
/// <param name="data">Makes its batches; not disposed.</param>
/// <param name="ranking">The graph's ranking objective.</param>
internal sealed class CandidateScores(ExecutableGraph graph, Dataset data, BuiltObjective ranking)
{
    /// <summary>Candidates in a row: attention within a row grows with the square of its length.</summary>
    public const int InRow = 16;

    private readonly ExecutionStep[] steps = graph.StepsFor(ranking.InputSlots);

    /// <summary>A score for each candidate, in order.</summary>
    /// <param name="rows">Samples with a question and its candidates.</param>
    /// <param name="blank">Modalities to be blanked.</param>
    public float[] Of(IReadOnlyList<(Sample, Turn, IReadOnlyList<string>)> rows, IReadOnlyList<string> blank)
    {
        using var pass = StepGate.Enter();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var batch = data.CollateCandidates(rows);
        using var blanked = batch.Blank(blank);
        var slots = graph.CreateSlots();
        SlotFiller.Fill(graph.Plan, blanked, slots);
        ExecutableGraph.Run(steps, slots);
        object?[] inputs = [.. ranking.InputSlots.Select(slot => slot < 0 ? null : slots[slot])];
        return ((IRankingObjective)ranking.Objective).Scores(inputs).to(float32).cpu().data<float>().ToArray();
    }
}
