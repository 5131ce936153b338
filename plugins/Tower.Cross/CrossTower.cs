// A cross-encoder (Nogueira and Cho 2019) for few pairs and a processor. A transformer from zero takes millions of pairs to learn that the same word on both sides
// means something, so it is told: each token comes with the trained vector of a dual tower, with how much it counts, and with how well the other side answers it.
//   score = linear(10 f) + mlp(10 f) + w · h_bos ,  f = match(u) ⧺ match(P h) ,  h = transformer(W [u, met, exact, log counts, side])
// match(x) pools the cosines of all words of the one side with all of the other by kernels exp(-(cos - μ)² / 2σ²), weighted by how much a word counts
// (Xiong et al. 2017, K-NRM; over contextual vectors Hofstätter et al. 2020, TK), and adds the cosine of both sums, the weight
// of what they have in common, how much of it stands near the answer's beginning, and how many neighbours are neighbours in both.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Tower.Cross;

/// <summary>Says how well each candidate answers its question.</summary>
[Plugin("tower.cross", "Cross-encoder: reads a question and each candidate answer together, with the vectors of a dual tower, and says how well they fit.")]
[Input("words", "seq[B,T,D]")]
[Input("candidates", "ids[B,T,V]")]
[Output("scores", "seq[B,T,1]")]
[Cost(
    Parameters = "V + (D + 5)*{Width} + {Layers}*(2*{Width} + 4*{Width}*{Width} + 3*{Width}*{FeedForward}) + 2*{Width} + {Width}*{Meeting} + 45*{Hidden} + {Hidden} + 44",
    Activations = "B*T*{Layers}*(8*{Width} + 3*{FeedForward})")]
public sealed class CrossTower(CrossOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new CrossEncoder(options, context);
}

/// <summary>Settings of <see cref="CrossTower"/>.</summary>
[MultipleOf(nameof(Width), nameof(Heads), Factor = 2)]
public sealed record CrossOptions(
    [property: Range(8, 4096), Description("Width of the transformer; a multiple of twice the heads.")] int Width = 160,
    [property: Range(1, 64), Description("Number of transformer blocks.")] int Layers = 4,
    [property: Range(1, 64), Description("Attention heads of each block.")] int Heads = 5,
    [property: Range(8, 32768), Description("Width inside the gated feed-forward layer.")] int FeedForward = 512,
    [property: Range(4, 1024), Description("Width in which contextual vectors of both sides are compared.")] int Meeting = 64,
    [property: Range(1, 1024), Description("Width inside the layer over what was matched.")] int Hidden = 32,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0.1,
    [property: Range(0, 1_000_000), Description("Id of the token between question and answer; 3 where the tokenizer has learnt its vocabulary.")] int Separator = 3,
    [property: Range(0, 1_000_000), Description("Ids below this are no words; 7 where the tokenizer has learnt its vocabulary.")] int FirstWord = 7);

internal sealed class CrossEncoder : nn.Module, IGraphNode
{
    private const double Haste = 8;     // how much a word counts has to be learnt faster than what it means
    private const double Sharpness = 10; // features lie between 0 and 1, and scores compete in a softmax

    private readonly CrossOptions options;
    private readonly Parameter counts;
    private readonly Reader reader;
    private readonly FusedLinear meeting;
    private readonly FusedLinear inner;
    private readonly FusedLinear outer;
    private readonly FusedLinear direct;
    private readonly FusedLinear read;

    public CrossEncoder(CrossOptions options, BuildContext context) : base(nameof(CrossEncoder))
    {
        this.options = options;
        counts = Initial.Constant(context, [context.Dimension("V"), 1], 0);
        reader = new Reader(options, context);
        meeting = new FusedLinear("meeting", options.Width, [("proj", options.Meeting)], context);
        inner = new FusedLinear("inner", 2 * Matching.Features, [("proj", options.Hidden)], context, biased: true);
        outer = new FusedLinear("outer", options.Hidden, [("proj", 1)], context, 0);
        direct = new FusedLinear("direct", 2 * Matching.Features, [("proj", 1)], context, 0);
        read = new FusedLinear("read", options.Width, [("proj", 1)], context, 0);
        register_parameter(nameof(counts), counts);
        register_module(nameof(reader), reader);
        register_module(nameof(meeting), meeting);
        register_module(nameof(inner), inner);
        register_module(nameof(outer), outer);
        register_module(nameof(direct), direct);
        register_module(nameof(read), read);
    }

    public void Run(ReadOnlySpan<object?> inputs, Span<object?> outputs)
    {
        var (words, text) = ((Masked)inputs[0]!, (TextBatch)inputs[1]!);
        var first = text.Positions.eq(0).logical_and(text.Mask);                                     // [batch, tokens]: a candidate's score stands at its first token
        var scores = zeros(first.numel(), dtype: words.Data.dtype, device: words.Data.device);
        if (Pairs.Of(words.Data, text, options) is { } pairs)
            scores = scores.index_copy(0, first.reshape(-1).nonzero().view(-1), Score(pairs));
        outputs[0] = new Masked(scores.view(first.size(0), first.size(1), 1), first);
    }

    private Tensor Score(Pairs pairs)
    {
        var (weights, vectors) = Weighted(pairs);
        var same = Matching.Same(pairs);                                                            // [pairs, query, passage]
        var similarity = Matching.Cosines(pairs, vectors);                                          // [pairs, query, passage]
        var best = Matching.Best(pairs, similarity);                                                // [pairs, length]
        var hidden = reader.Forward(pairs, vectors, weights, best, same);                           // [pairs, length, width]
        var contextual = nn.functional.normalize(meeting.Forward(hidden), 2, 2);                    // [pairs, length, meeting]
        var meetings = Matching.Cosines(pairs, contextual);
        var matched = cat([Matching.Pool(pairs, vectors, weights, similarity, best, same), Matching.Pool(pairs, contextual, weights, meetings, Matching.Best(pairs, meetings), same)], 1) * Sharpness;
        var score = direct.Forward(matched) + outer.Forward(nn.functional.gelu(inner.Forward(matched))) + read.Forward(hidden.select(1, 0));
        return score.view(-1);                                                                      // [pairs]
    }

    /// <summary>How much each word counts, [pairs, length, 1], and its direction; both are 0 for what is no word.</summary>
    private (Tensor Weights, Tensor Vectors) Weighted(Pairs pairs)
    {
        const double smallest = 1e-6;
        var length = (pairs.Vectors.square().sum(2, keepdim: true) + smallest).sqrt();              // [pairs, length, 1]
        var own = (counts.index_select(0, pairs.Ids.reshape(-1)).view(length.shape) * Haste).exp();
        return (length * own * pairs.Words.unsqueeze(2), pairs.Vectors / length);
    }
}
