// The decoder of Llama (Touvron et al. 2023) with the three fusion points: a prefix at the input, a call between layers, a call
// at the output. The prefix is seen by every text token and sees itself in both directions.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Decoder.Causal;

internal sealed class CausalTower : nn.Module, IDecoder, IDescribedTower
{
    private readonly BlockShape shape;
    private readonly BuildContext context;
    private readonly Parameter embedding;
    private readonly Parameter? head;
    private readonly TransformerStack stack;
    private readonly double ropeBase;
    private readonly Rotary rotary;

    public CausalTower(BlockShape shape, long vocabulary, double ropeBase, bool tied, BuildContext context) : base(nameof(CausalTower))
    {
        (this.shape, this.ropeBase, this.context) = (shape, ropeBase, context);
        if (shape.HeadWidth % 2 != 0) throw new UserErrorException($"decoder.causal: headWidth is {shape.HeadWidth}, but rotary positions turn pairs: use an even one.");
        embedding = Initial.Normal(context, [vocabulary, shape.Width]);
        register_parameter(nameof(embedding), embedding);
        stack = new TransformerStack(shape, context);
        register_module("stack", stack);
        if (!tied)
        {
            head = Initial.Normal(context, [vocabulary, shape.Width]);
            register_parameter(nameof(head), head);
        }
        rotary = new Rotary(shape.HeadWidth, ropeBase, context);
    }

    public IReadOnlyList<Projection> Projections => stack.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => stack.KeyValueSlots;

    public KeyValueCache CreateCache(int batch, int capacity) =>
        new(shape.Layers, batch, shape.KeyValueHeads, capacity, shape.HeadWidth, context.Dtype, context.Device);

    public TowerDescription Describe() =>
        stack.Describe(TowerKind.CausalDecoder, [("embedding.weight", embedding), .. head is null ? [] : new[] { ("head.weight", (Tensor)head) }]) with { RotaryBase = ropeBase };

    public Tensor Forward(TextBatch text, IFusionContext? context, KeyValueCache? cache)
    {
        var (batch, tokens) = (text.Ids.size(0), text.Ids.size(1));
        var x = embedding.index_select(0, text.Ids.reshape(-1)).view(batch, tokens, shape.Width);
        var prefix = cache is { Length: > 0 } ? null : context?.Prefix;
        var hidden = stack.Forward(x, context, prefix, Prepare(text, prefix, cache));            // [batch, tokens, width]
        cache?.Advance((prefix?.Data.size(1) ?? 0) + tokens);
        var logits = Arithmetic.Linear(hidden, head ?? embedding);                                // [batch, tokens, vocabulary]
        return context?.AtOutput(hidden, logits) ?? logits;
    }

    private AttentionPass Prepare(TextBatch text, Masked? prefix, KeyValueCache? cache)
    {
        var total = (prefix?.Data.size(1) ?? 0) + text.Ids.size(1);
        if (cache is not null && prefix is not null) cache.SetPrefixMask(prefix.Mask);
        // Keys and values in the slots are a prompt that has been read already: the positions after it count on, in training as over a cache.
        var before = KeyValueSlots.Max(slot => slot.Content?.Length ?? 0);
        var visible = cache is { Length: > 0 } ? Visibility.Continuing(text, cache)
            : text.Packed || prefix is not null || before > 0 ? Visibility.Starting(text, prefix) : null;
        var rotation = text.Packed && cache is null
            ? rotary.At(PrefixedText.Positions(text, prefix?.Data.size(1) ?? 0) + before, before + total)
            : rotary.Range(before + (cache?.Length ?? 0), total);
        var mask = visible is null ? null : AttentionMask.Additive(visible, context.Dtype);
        return new AttentionPass(mask, Causal: visible is null && cache is not { Length: > 0 }, rotation, cache);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) rotary.Dispose();
        base.Dispose(disposing);
    }
}
