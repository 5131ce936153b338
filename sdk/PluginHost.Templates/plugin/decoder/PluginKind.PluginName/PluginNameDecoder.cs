// A bigram model with the three fusion points: the next token depends on this one, and on what the fusion says.
//   hidden = E[id] (the fusion may change it) + mean(prefix), then the fusion between layers;  logits = E P hidden, then the fusion at the output
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginKind.PluginName;

/// <summary>A bigram model.</summary>
[Plugin("plugin-kind.plugin-name", "Bigram model that can read modalities through a fusion strategy.")]
[Input("ids", "ids[B,T,V]")]
[Input("context", "fusion[{Width},{Layers},V]", Optional = true)]
[Output("logits", "f[B,T,V]")]
[Cost(Parameters = "V*{Width} + {Width}*{Width}", Activations = "B*T*(2*{Width} + V)")]
public sealed class PluginNameDecoder(PluginNameOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Bigram(options, context);
}

/// <summary>Settings of <see cref="PluginNameDecoder"/>.</summary>
public sealed record PluginNameOptions(
    [property: Range(8, 16384), Description("Width of the hidden states.")] int Width = 64,
    [property: Range(1, 128), Description("How often the fusion is asked between layers.")] int Layers = 1);

internal sealed class Bigram : nn.Module, IDecoder
{
    private readonly PluginNameOptions options;
    private readonly BuildContext context;
    private readonly Parameter embedding;
    private readonly FusedLinear next;

    public Bigram(PluginNameOptions options, BuildContext context) : base(nameof(Bigram))
    {
        (this.options, this.context) = (options, context);
        embedding = Initial.Normal(context, [context.Dimension("V"), options.Width]);
        next = new FusedLinear("layers.0", options.Width, [("proj", options.Width)], context);
        register_parameter(nameof(embedding), embedding);
        register_module(nameof(next), next);
    }

    public IReadOnlyList<Projection> Projections => next.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => [];

    // Nothing is remembered but the number of positions.
    public KeyValueCache CreateCache(int batch, int capacity) => new(0, batch, 1, capacity, 1, context.Dtype, context.Device);

    public Tensor Forward(TextBatch text, IFusionContext? context, KeyValueCache? cache)
    {
        var hidden = embedding.index_select(0, text.Ids.reshape(-1)).view(text.Ids.size(0), -1, options.Width);  // [B, T, width]
        hidden = context?.AtInput(hidden) ?? hidden;
        if (context?.Prefix is { } prefix)
        {
            var real = prefix.Mask.unsqueeze(-1);                                   // [B, P, 1]
            hidden = hidden + where(real, prefix.Data, 0).sum(1, keepdim: true) / real.sum(1, keepdim: true).clamp_min(1);
        }
        for (var layer = 0; layer < options.Layers; layer++) hidden = context?.BetweenLayers(layer, hidden) ?? hidden;
        cache?.Advance(text.Ids.size(1) + (cache.Length == 0 ? context?.Prefix?.Data.size(1) ?? 0 : 0));
        hidden = next.Forward(hidden);
        var logits = nn.functional.linear(hidden, embedding);                       // [B, T, V]
        return context?.AtOutput(hidden, logits) ?? logits;
    }
}
