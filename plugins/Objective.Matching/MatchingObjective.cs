// Image-text matching (Li et al. 2021, ALBEF) in its ranking form: a head on the tokens of each candidate says how well it fits,
//   s = w · LayerNorm(mean of its tokens) ,  loss = Σ_q weight_q · −log softmax(s over the candidates of q)[right].
// Deviations: the candidates of a question compete in one softmax instead of being judged one by one, since that is how they are ranked;
// and the mean stands for a candidate instead of its first token, which would first have to learn to gather it.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Objective.Matching;

/// <summary>Matching of a question's candidate answers to what a tower has read.</summary>
[Plugin("objective.matching", "Image-text matching: the candidate answers of a question compete for the best fit; ranks them where no decoder answers.")]
[Input("tokens", "seq[B,T,D]")]
[Input("candidates", "ids[B,T,V]")]
[Cost(Parameters = "3*D", Activations = "B*T")]
public sealed class MatchingObjective : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Matching(context);
}

internal sealed class Matching : nn.Module, IRankingObjective
{
    private readonly PluginHost.Sdk.Layers.LayerNorm norm;
    private readonly FusedLinear head;

    public Matching(BuildContext context) : base(nameof(Matching))
    {
        norm = new PluginHost.Sdk.Layers.LayerNorm(context.Dimension("D"), context);
        head = new FusedLinear("matching", context.Dimension("D"), [("score", 1)], context);
        register_module(nameof(norm), norm);
        register_module(nameof(head), head);
    }

    /// <summary>Each question counts with its weight.</summary>
    public double Count(ReadOnlySpan<object?> inputs)
    {
        using var scope = NewDisposeScope();
        return ((TextBatch)inputs[1]!).Weights.sum(ScalarType.Float64).item<double>();
    }

    public Tensor Scores(ReadOnlySpan<object?> inputs) => Scores((Masked)inputs[0]!, (TextBatch)inputs[1]!);

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        var text = (TextBatch)inputs[1]!;
        var scores = Scores((Masked)inputs[0]!, text);                                // [candidates]
        var first = IsFirst(text).nonzero().view(-1);                                 // [candidates], places in the flattened batch
        var right = text.Targets.reshape(-1).index_select(0, first).eq(1);
        // The right candidate stands first, so it also says where its question begins.
        var question = right.to(ScalarType.Int64).cumsum(0) - 1;
        var known = question.ge(0);
        if (!known.any().ToBoolean()) return scores.sum() * 0;                         // nothing to learn; the graph stays connected
        var starts = right.nonzero().view(-1);                                         // [questions]
        var place = arange(first.size(0), dtype: ScalarType.Int64, device: first.device) - starts.index_select(0, question.clamp_min(0));
        var (questions, longest) = (starts.size(0), place.masked_select(known).max().ToInt64() + 1);
        var table = full([questions * longest], double.NegativeInfinity, device: scores.device)
            .scatter(0, (question * longest + place).masked_select(known), scores.masked_select(known)).view(questions, longest);
        var losses = table.logsumexp(1) - table.select(1, 0);
        return (losses * text.Weights.reshape(-1).index_select(0, first).index_select(0, starts)).sum();
    }

    private static Tensor IsFirst(TextBatch text) => text.Positions.eq(0).logical_and(text.Mask).reshape(-1);

    private Tensor Scores(Masked tokens, TextBatch text)
    {
        var real = text.Mask.reshape(-1).nonzero().view(-1);                           // [real tokens]
        var candidate = IsFirst(text).to(ScalarType.Int64).cumsum(0).index_select(0, real) - 1;
        var data = tokens.Data.reshape(-1, tokens.Data.size(2)).index_select(0, real);  // [real tokens, D]
        var count = IsFirst(text).sum().ToInt64();
        var sums = zeros(count, data.size(1), dtype: data.dtype, device: data.device).index_add(0, candidate, data, Scalars.One);
        var lengths = zeros(count, dtype: data.dtype, device: data.device).index_add(0, candidate, ones_like(candidate, dtype: data.dtype), Scalars.One);
        return head.Forward(norm.Forward(sums / lengths.unsqueeze(1))).view(-1).to(ScalarType.Float32);
    }
}
