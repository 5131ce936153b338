using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Decoding;

/// <summary>A small transformer with a cache and the three fusion points.</summary>
internal sealed class SmallDecoder : nn.Module, IDecoder
{
    public const int Width = 16;
    public const int Vocabulary = 40;

    private static readonly BuildContext Context = new() { Device = CPU, Seed = 3, Logger = NullLogger.Instance, ContentFolder = "" };
    private static readonly BlockShape Shape = new(Width, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 32);

    private readonly Parameter embedding = nn.Parameter(randn(Vocabulary, Width) * 0.5);
    private readonly Parameter head = nn.Parameter(randn(Vocabulary, Width));
    private readonly TransformerStack stack = new(Shape, Context);
    private readonly Rotary rotary = new(Shape.HeadWidth, 10000, Context);

    public SmallDecoder() : base(nameof(SmallDecoder))
    {
        register_parameter(nameof(embedding), embedding);
        register_parameter(nameof(head), head);
        register_module(nameof(stack), stack);
        eval();
    }

    public IReadOnlyList<Projection> Projections => stack.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => stack.KeyValueSlots;

    public KeyValueCache CreateCache(int batch, int capacity) =>
        new(Shape.Layers, batch, Shape.KeyValueHeads, capacity, Shape.HeadWidth, ScalarType.Float32, CPU);

    public Tensor Forward(TextBatch text, IFusionContext? context, KeyValueCache? cache)
    {
        var (batch, tokens, past) = (text.Ids.size(0), text.Ids.size(1), cache?.Length ?? 0);
        var prefix = past > 0 ? null : context?.Prefix;
        if (prefix is not null) cache?.SetPrefixMask(prefix.Mask);
        var total = past + (prefix?.Data.size(1) ?? 0) + tokens;
        var visible = past > 0 ? AttentionMask.Causal(tokens, total, CPU).view(1, 1, tokens, total)
            : PrefixedText.Visible(AttentionMask.Causal(tokens, tokens, CPU).unsqueeze(0), prefix?.Mask);
        if (past > 0 && cache?.PrefixMask is { } mask)
            visible = visible.logical_and(cat([mask, ones(batch, total - mask.size(1), dtype: ScalarType.Bool)], 1).view(batch, 1, 1, total));
        var pass = new AttentionPass(AttentionMask.Additive(visible, ScalarType.Float32), Causal: false, rotary.Range(past, total - past), cache);
        var x = embedding.index_select(0, text.Ids.reshape(-1)).view(batch, tokens, Width);
        var hidden = stack.Forward(x, context, prefix, pass);
        cache?.Advance(total - past);
        var logits = nn.functional.linear(hidden, head);
        return context?.AtOutput(hidden, logits) ?? logits;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) rotary.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A fusion that is felt at all three points; the first position of its prefix is absent.</summary>
internal sealed class SmallFusion(int prefix) : IFusionContext
{
    private readonly Tensor shift = randn(1, 1, SmallDecoder.Width) * 0.1;
    private readonly Tensor bias = randn(1, 1, SmallDecoder.Vocabulary);

    public Masked? Prefix { get; } = new(randn(1, prefix, SmallDecoder.Width), arange(prefix).gt(0).unsqueeze(0));

    public Tensor BetweenLayers(int layer, Tensor hidden) => hidden + shift;

    public Tensor AtOutput(Tensor hidden, Tensor logits) => logits + bias;
}
