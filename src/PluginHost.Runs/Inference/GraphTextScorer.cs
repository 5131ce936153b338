using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Inference;

/// <summary>
/// The decoder of a trained graph as a scorer of texts, its media blanked. Safe for concurrent calls, which take turns. Disposed, it holds nothing of the
/// graph, whoever holds it.
/// </summary>
public sealed class GraphTextScorer : ITextScorer, IDisposable
{
    private const int BatchSize = 64;

    private readonly Lock gate = new();
    private readonly int logits;
    private readonly int textSlot;
    private ExecutableGraph? graph;
    private Dataset? data;
    private ExecutionStep[] steps;

    /// <param name="graph">The graph with its weights; not disposed.</param>
    /// <param name="data">Makes its batches; not disposed.</param>
    /// <param name="model">Name of the run, for messages.</param>
    /// <exception cref="UserErrorException">The graph has no decoder.</exception>
    public GraphTextScorer(ExecutableGraph graph, Dataset data, string model)
    {
        (this.graph, this.data) = (graph, data);
        var decoder = graph.Plan.DecoderNode ?? throw new UserErrorException($"the run '{model}' has no decoder, so nothing scores texts");
        (logits, textSlot) = (decoder.Outputs[0].Slot, graph.DecoderTextSlot);
        steps = graph.StepsFor([logits]);
    }

    public IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation = default)
    {
        var scores = new List<TextScore>(texts.Count);
        foreach (var chunk in texts.Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            scores.AddRange(Score(chunk));
        }
        return scores;
    }

    public void Dispose()
    {
        lock (gate) (graph, data, steps) = (null, null, []);
    }

    private TextScore[] Score(ScoredText[] texts)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(graph is null || data is null, this);
            using var pass = StepGate.Enter();
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            using var batch = data.CollateTexts([.. texts.Select(item => new Turn("", item.Prompt, item.Text))]);
            var slots = graph.CreateSlots();
            SlotFiller.Fill(graph.Plan, batch, slots);
            ExecutableGraph.Run(steps, slots);
            var text = (TextBatch)slots[textSlot]!;
            var (rows, length) = (text.Targets.size(0), text.Targets.size(1));
            var costs = nn.functional.cross_entropy(((Tensor)slots[logits]!).to(float32).flatten(0, 1), text.Targets.flatten(), ignore_index: TextBatch.Ignore, reduction: nn.Reduction.None)
                .view(rows, length).sum(1, type: float64); // [rows]; what is no target costs nothing
            var tokens = text.Targets.ne(TextBatch.Ignore).sum(1);
            return [.. costs.cpu().data<double>().ToArray().Zip(tokens.cpu().data<long>().ToArray(), (cost, count) => new TextScore(-cost, (int)count))];
        }
    }
}
