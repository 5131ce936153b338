// Two towers over one table of token vectors: a text is the weighted sum of its tokens, and each side has a residual layer of its own,
//   h = Σ_t exp(8 w_t) e_t ,  y = n + B · GELU(A · n) ,  n = h / |h| · √width   (A, B of the query's or the passage's side; B is zero at first).
// At the start the towers thus compare words, by random vectors that are all but orthogonal, as a lexical search does; training moves words that answer
// each other together (Karpukhin et al. 2020, DPR; the sum in place of a transformer, as in Wieting et al. 2016, learns from few pairs).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Tower.Dual;

/// <summary>Queries and passages to vectors of one space.</summary>
[Plugin("tower.dual", "Two text towers over one vocabulary: queries and passages become vectors of one space.")]
[Input("query", "ids[B,T,V]", Optional = true)]
[Input("passage", "ids[B,S,V]", Optional = true)]
[Input("negative", "ids[B,R,V]", Optional = true)]
[Input("candidates", "ids[B,C,V]", Optional = true)]
[Output("query", "f[B,{Width}]")]
[Output("passage", "f[B,{Width}]")]
[Output("negative", "f[B,{Width}]")]
[Output("candidates", "seq[B,C,{Width}]")]
[Cost(Parameters = "V*{Width} + V + 4*{Width}*{Hidden}", Activations = "B*(T + S + R + C)*{Width}*2 + B*6*{Hidden}")]
public sealed class DualTower(DualOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Towers(options, context);
}

/// <summary>Settings of <see cref="DualTower"/>.</summary>
/// <param name="Width">Width of the vectors.</param>
/// <param name="Hidden">Width inside the residual layers.</param>
public sealed record DualOptions(
    [property: Range(8, 4096), Description("Width of the vectors.")] int Width = 256,
    [property: Range(1, 8192), Description("Width inside the residual layer of each side.")] int Hidden = 256);

internal sealed class Towers : nn.Module, IGraphNode
{
    private const double Smallest = 1e-6; // keeps the norm of a row without tokens from dividing by zero

    // How much a word counts has to be learnt faster than what it means.
    private const double Haste = 8;

    private readonly double scale;
    private readonly Parameter embedding;
    private readonly Parameter weight;
    private readonly Side query;
    private readonly Side passage;

    public Towers(DualOptions options, BuildContext context) : base(nameof(Towers))
    {
        scale = Math.Sqrt(options.Width);
        embedding = Initial.Normal(context, [context.Dimension("V"), options.Width], 1 / scale);
        weight = Initial.Constant(context, [context.Dimension("V"), 1], 0);
        query = new Side(options, context);
        passage = new Side(options, context);
        register_parameter(nameof(embedding), embedding);
        register_parameter(nameof(weight), weight);
        register_module(nameof(query), query);
        register_module(nameof(passage), passage);
    }

    public void Run(ReadOnlySpan<object?> inputs, Span<object?> outputs)
    {
        outputs[0] = Encode(inputs[0], query);
        outputs[1] = Encode(inputs[1], passage);
        outputs[2] = Encode(inputs[2], passage);
        outputs[3] = Words(inputs[3]);
    }

    // What a text is the sum of, for whoever reads question and answer together.
    private Masked? Words(object? input)
    {
        if (input is not Masked text) return null;
        var ids = text.Data.reshape(-1);
        var words = Vectors(ids).view(text.Data.size(0), text.Data.size(1), -1);                                        // [batch, tokens, width]
        return new Masked(words.masked_fill(text.Mask.logical_not().unsqueeze(2), 0), text.Mask);
    }

    private Tensor Vectors(Tensor ids) => embedding.index_select(0, ids) * (weight.index_select(0, ids) * Haste).exp(); // [ids, width]

    private Tensor? Encode(object? input, Side side)
    {
        if (input is not Masked text) return null;
        var real = text.Mask.reshape(-1).nonzero().view(-1);                                               // [real tokens]
        var ids = text.Data.reshape(-1).index_select(0, real);
        var row = real.div(text.Data.size(1), RoundingMode.floor).to(ScalarType.Int64);
        var words = Vectors(ids);                                                                          // [real tokens, width]
        var sum = zeros(text.Data.size(0), embedding.size(1), dtype: words.dtype, device: words.device).index_add(0, row, words, Scalars.One);
        var length = (sum.square().sum(1, keepdim: true) + Smallest).sqrt();                                // [batch, 1]
        var present = text.Mask.any(1, keepdim: true).to(sum.dtype);                                        // [batch, 1]
        return side.Forward(sum / length * scale) * present;                                                // [batch, width]
    }
}

/// <summary>What a side adds to the sum of its words: [batch, width] to [batch, width].</summary>
internal sealed class Side : nn.Module
{
    private readonly FusedLinear inner;
    private readonly FusedLinear outer;

    public Side(DualOptions options, BuildContext context) : base(nameof(Side))
    {
        inner = new FusedLinear("inner", options.Width, [("proj", options.Hidden)], context);
        outer = new FusedLinear("outer", options.Hidden, [("proj", options.Width)], context, 0);
        register_module(nameof(inner), inner);
        register_module(nameof(outer), outer);
    }

    public Tensor Forward(Tensor x) => x + outer.Forward(nn.functional.gelu(inner.Forward(x)));
}
