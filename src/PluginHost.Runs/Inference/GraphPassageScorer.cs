using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Inference;

/// <summary>
/// The ranking objective of a trained graph without a decoder as a scorer of passages: the query is the question, the passages are its candidates. Safe for concurrent calls,
/// which take turns. Disposed, it holds nothing of the graph, whoever holds it.
/// </summary>
public sealed class GraphPassageScorer : IPassageScorer, IDisposable
{
    /// <summary>Passages in a row: a node may look at all of a row's tokens at once.</summary>
    private const int PassagesInRow = 16;

    /// <summary>Passages at a time; more would take memory and no less time.</summary>
    private const int BatchSize = 128;

    private readonly Lock gate = new();
    private BuiltObjective? ranking;
    private ExecutableGraph? graph;
    private Dataset? data;
    private ExecutionStep[] steps;

    /// <param name="graph">The graph with its weights; not disposed.</param>
    /// <param name="data">Makes its batches; not disposed.</param>
    /// <param name="model">Name of the run, for messages.</param>
    /// <exception cref="UserErrorException">The graph has nothing that ranks.</exception>
    public GraphPassageScorer(ExecutableGraph graph, Dataset data, string model)
    {
        ranking = graph.Ranking ?? throw new UserErrorException($"the run '{model}' has no objective that ranks candidates (an input from 'sample.candidates', and no decoder), so it scores no passages; name a run that has one");
        (this.graph, this.data) = (graph, data);
        steps = graph.StepsFor(ranking.InputSlots);
    }

    /// <inheritdoc/>
    public IReadOnlyList<float> Score(string query, IReadOnlyList<string> passages) => [.. passages.Chunk(BatchSize).SelectMany(chunk => ScoreOnce(query, chunk))];

    public void Dispose()
    {
        lock (gate) (graph, data, ranking, steps) = (null, null, null, []);
    }

    private float[] ScoreOnce(string query, string[] passages)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(graph is null || data is null || ranking is null, this);
            using var pass = StepGate.Enter();
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var (sample, question) = (new Sample("query"), new Turn("", query, ""));
            using var batch = data.CollateCandidates([.. passages.Chunk(PassagesInRow).Select(row => (sample, question, (IReadOnlyList<string>)row))]);
            var slots = graph.CreateSlots();
            SlotFiller.Fill(graph.Plan, batch, slots);
            ExecutableGraph.Run(steps, slots);
            object?[] inputs = [.. ranking.InputSlots.Select(slot => slot < 0 ? null : slots[slot])];
            return ((IRankingObjective)ranking.Objective).Scores(inputs).to(float32).cpu().data<float>().ToArray();
        }
    }
}
