using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;

namespace Decoder.Causal;

/// <summary>A causal transformer that can read modalities through a fusion strategy.</summary>
[Plugin("decoder.causal", "Causal decoder transformer: RMSNorm, rotary positions, grouped-query attention, SwiGLU.", Checkpoints = true)]
[Input("ids", "ids[B,T,V]")]
[Input("context", "fusion[{Width},{Layers},V]", Optional = true)]
[Output("logits", "f[B,T,V]")]
[Tower(Layers = "{Layers}", Width = "{Width}", KeyWidth = "{KeyValueHeads}*{Width}/{Heads}", FeedForward = "{FeedForward}")]
[Cost(
    // (HeadWidth + 1023) / 1024 is 0 for the default head width and 1 for one that is given.
    Parameters = "V*{Width}*(2-{TiedHead}) + {Width} + {Layers}*(2*{Width} + 3*{Width}*{FeedForward} "
        + "+ (2*{Width}*({Heads}+{KeyValueHeads}) + {AttentionBias}*({Heads}+2*{KeyValueHeads}) + 2*{QueryKeyNorm})"
        + "*({HeadWidth} + (1 - ({HeadWidth}+1023)/1024)*{Width}/{Heads}))",
    Activations = "B*T*({Layers}*(8*{Width} + 2*{Width}*({Heads}-{KeyValueHeads})/{Heads} + 3*{FeedForward}) + 2*{Width} + T)")]
public sealed class CausalDecoder(CausalOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new CausalTower(
        new BlockShape(options.Width, options.Layers, options.Heads, options.KeyValueHeads, options.FeedForward, options.Dropout)
        {
            HeadWidth = options.HeadWidth > 0 ? options.HeadWidth : options.Width / options.Heads,
            NormEpsilon = options.NormEpsilon,
            AttentionBias = options.AttentionBias,
            QueryKeyNorm = options.QueryKeyNorm,
        },
        context.Dimension("V"), options.RopeBase, options.TiedHead, context);
}

/// <summary>Settings of <see cref="CausalDecoder"/>.</summary>
[MultipleOf(nameof(Width), nameof(Heads), Factor = 2)]
[MultipleOf(nameof(Heads), nameof(KeyValueHeads))]
public sealed record CausalOptions(
    [property: Range(8, 16384), Description("Width of the hidden states; a multiple of twice the heads.")] int Width = 128,
    [property: Range(1, 128), Description("Number of transformer blocks.")] int Layers = 4,
    [property: Range(1, 128), Description("Query heads of each block.")] int Heads = 4,
    [property: Range(1, 128), Description("Key/value heads of each block; divides the heads. Fewer make the cache smaller.")]
    int KeyValueHeads = 2,
    [property: Range(8, 65536), Description("Width inside the gated feed-forward layer.")] int FeedForward = 352,
    [property: Range(10.0, 1e9), Description("Base of the wavelengths of the rotary positions.")] double RopeBase = 10000,
    [property: Description("Whether the output head shares the weights of the token embedding.")] bool TiedHead = true,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0,
    [property: Range(0, 1024), Description("Width of a head, even; 0: the width by the heads.")] int HeadWidth = 0,
    [property: Range(1e-9, 1e-2), Description("What the norms add to the mean of the squares.")] double NormEpsilon = 1e-6,
    [property: Description("Whether the maps to queries, keys and values have biases, as in Qwen2.")] bool AttentionBias = false,
    [property: Description("Whether each head's queries and keys are normalised, as in Qwen3.")] bool QueryKeyNorm = false);
