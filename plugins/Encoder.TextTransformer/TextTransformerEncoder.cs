// Bidirectional transformer over token ids, as the text tower of a dual encoder (Radford et al. 2021, CLIP); positions are rotary. With a
// context it reads other modalities at the three fusion points (Li et al. 2021, ALBEF: cross-attention between its layers).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Encoder.TextTransformer;

/// <summary>Text to tokens with a bidirectional transformer.</summary>
[Plugin("encoder.text-transformer", "Bidirectional transformer: text to tokens and a pooled vector.", Checkpoints = true)]
[Input("ids", "ids[B,T,V]")]
[Input("context", "fusion[{Width},{Layers},{Width}]", Optional = true)]
[Output("tokens", "seq[B,T,{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Tower(Layers = "{Layers}", Width = "{Width}", KeyWidth = "{Width}", FeedForward = "{FeedForward}")]
[Cost(
    Parameters = "V*{Width} + {Layers}*(2*{Width} + 4*{Width}*{Width} + 3*{Width}*{FeedForward}) + 3*{Width} + {Width}*{Pooled}",
    Activations = "B*T*{Layers}*(8*{Width} + 3*{FeedForward})")]
public sealed class TextTransformerEncoder(TextTransformerOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new TextTower(options, context);
}

/// <summary>Settings of <see cref="TextTransformerEncoder"/>.</summary>
[MultipleOf(nameof(Width), nameof(Heads), Factor = 2)]
public sealed record TextTransformerOptions(
    [property: Range(8, 8192), Description("Width of the tokens; a multiple of twice the heads.")] int Width = 128,
    [property: Range(0, 64), Description("Number of transformer blocks; 0 leaves a bag of tokens, which learns from fewer texts.")] int Layers = 2,
    [property: Range(1, 64), Description("Attention heads of each block.")] int Heads = 4,
    [property: Range(8, 32768), Description("Width inside the gated feed-forward layer.")] int FeedForward = 256,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 128,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0);

internal sealed class TextTower : nn.Module, IEncoder, ITower, IDescribedTower
{
    private const double RotaryBase = 10000;

    private readonly long width;
    private readonly ScalarType type;
    private readonly Parameter embedding;
    private readonly Rotary rotary;
    private readonly TransformerStack stack;
    private readonly PooledHead pooled;

    public TextTower(TextTransformerOptions options, BuildContext context) : base(nameof(TextTower))
    {
        (width, type) = (options.Width, context.Dtype);
        embedding = Initial.Normal(context, [context.Dimension("V"), options.Width]);
        rotary = new Rotary(options.Width / options.Heads, RotaryBase, context);
        stack = new TransformerStack(
            new BlockShape(options.Width, options.Layers, options.Heads, options.Heads, options.FeedForward, options.Dropout), context);
        pooled = new PooledHead(options.Width, options.Pooled, context);
        register_parameter(nameof(embedding), embedding);
        register_module(nameof(stack), stack);
        register_module(nameof(pooled), pooled);
    }

    public IReadOnlyList<Projection> Projections => stack.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => stack.KeyValueSlots;

    public TowerDescription Describe() =>
        stack.Describe(TowerKind.TextEncoder, [("embedding.weight", embedding), .. pooled.Describe()]) with { RotaryBase = RotaryBase };

    public Encoded Encode(Masked input) => Encode(input, null);

    public Encoded Encode(Masked input, IFusionContext? context)
    {
        var (batch, tokens) = (input.Data.size(0), input.Data.size(1));
        var x = embedding.index_select(0, input.Data.reshape(-1)).view(batch, tokens, width);
        var prefix = context?.Prefix;
        var hidden = stack.Forward(x, context, prefix, Prepare(input, prefix));  // [batch, tokens, width]
        // The tower's decision is its tokens.
        var encoded = new Masked(context?.AtOutput(hidden, hidden) ?? hidden, input.Mask);
        return new Encoded(encoded, pooled.Forward(encoded));
    }

    private AttentionPass Prepare(Masked input, Masked? prefix)
    {
        var before = prefix?.Data.size(1) ?? 0;
        var packed = input as TextBatch is { Packed: true } text ? text : null;
        var rotation = packed is null ? rotary.Range(0, before + input.Data.size(1)) : rotary.At(PrefixedText.Positions(packed, before), before + input.Data.size(1));
        if (packed is null && prefix is null) return new AttentionPass(AttentionMask.Keys(input.Mask, type), Causal: false, rotation, null);
        var own = packed is null ? AttentionMask.Pairs(input.Mask) : PrefixedText.SameSegment(packed);
        return new AttentionPass(AttentionMask.Additive(PrefixedText.Visible(own, prefix?.Mask), type), Causal: false, rotation, null);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) rotary.Dispose();
        base.Dispose(disposing);
    }
}
