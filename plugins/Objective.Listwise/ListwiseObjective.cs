// Listwise cross-entropy (Cao et al. 2007, ListNet, for one right answer): the candidates of a question compete in one softmax,
//   loss = Σ_q weight_q · −log softmax(s over the candidates of q)[right].
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Objective.Listwise;

/// <summary>Learns which of a question's candidates is right from one score each.</summary>
[Plugin("objective.listwise", "The candidate answers of a question compete by their scores; ranks them where no decoder answers.")]
[Input("scores", "seq[B,T,1]")]
[Input("candidates", "ids[B,T,V]")]
[Cost(Parameters = "0", Activations = "B*T")]
public sealed class ListwiseObjective : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Listwise();
}

internal sealed class Listwise : IRankingObjective
{
    /// <summary>Each question counts with its weight.</summary>
    public double Count(ReadOnlySpan<object?> inputs)
    {
        using var scope = NewDisposeScope();
        return ((TextBatch)inputs[1]!).Weights.sum(ScalarType.Float64).item<double>();
    }

    public Tensor Scores(ReadOnlySpan<object?> inputs) => At((Masked)inputs[0]!, First((TextBatch)inputs[1]!));

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        var text = (TextBatch)inputs[1]!;
        var first = First(text);                                                                    // [candidates], places in the flattened batch
        var scores = At((Masked)inputs[0]!, first);
        // The right candidate stands first, so it also says where its question begins; what comes before the first question is of none.
        var right = text.Targets.reshape(-1).index_select(0, first).eq(1);
        var starts = right.nonzero().view(-1);                                                      // [questions]
        if (starts.size(0) == 0) return scores.sum() * 0;                                           // nothing to learn; the graph stays connected
        var known = arange(starts[0].ToInt64(), first.size(0), dtype: ScalarType.Int64, device: first.device);
        var question = right.to(ScalarType.Int64).cumsum(0).index_select(0, known) - 1;
        var of = question.unsqueeze(0).eq(arange(starts.size(0), device: first.device).unsqueeze(1)); // [questions, candidates]
        var table = scores.index_select(0, known).unsqueeze(0).masked_fill(of.logical_not(), float.NegativeInfinity);
        var losses = table.logsumexp(1) - scores.index_select(0, starts);
        return (losses * text.Weights.reshape(-1).index_select(0, first).index_select(0, starts)).sum();
    }

    private static Tensor First(TextBatch text) => text.Positions.eq(0).logical_and(text.Mask).reshape(-1).nonzero().view(-1);

    private static Tensor At(Masked scores, Tensor first) => scores.Data.reshape(-1).index_select(0, first).to(ScalarType.Float32);
}
