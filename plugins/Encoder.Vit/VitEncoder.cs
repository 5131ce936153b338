using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Encoder.Vit;

/// <summary>Pictures to tokens with a vision transformer.</summary>
[Plugin("encoder.vit", "Vision transformer: patches, with an optional small convolutional stem, to tokens and a pooled vector.", Checkpoints = true)]
[Input("pixels", "pixels[B,C,H,W]")]
[Output("tokens", "seq[B,H/{Patch}*W/{Patch},{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Tower(Layers = "{Layers}", Width = "{Width}", KeyWidth = "{Width}", FeedForward = "{FeedForward}")]
[Cost(
    Parameters = "(1-{Stem})*C*{Patch}*{Patch}*{Width} + {Width} "
        + "+ {Stem}*(9*C*{StemWidth} + 6*{StemWidth}*{StemWidth}*({StemShrink}*{StemShrink} - 1) + 2*{StemWidth}*(2*{StemShrink} - 1) + {StemWidth}*{Patch}*{Patch}*{Width}/{StemShrink}) "
        + "+ {Layers}*(2*{Width} + 4*{Width}*{Width} + 3*{Width}*{FeedForward}) + {Width} + 2*{Width} + {Width}*{Pooled}",
    Activations = "B*(H/{Patch}*W/{Patch}*{Layers}*(8*{Width} + 3*{FeedForward}) + {Stem}*H*W*10*{StemWidth}*(2*{StemShrink} - 1)/(3*{StemShrink}))")]
public sealed class VitEncoder(VitOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new VisionTransformer(options, context);
}

/// <summary>Settings of <see cref="VitEncoder"/>.</summary>
[MultipleOf(nameof(Width), nameof(Heads))]
public sealed record VitOptions(
    [property: Range(8, 8192), Description("Width of the tokens; a multiple of the heads.")] int Width = 128,
    [property: Range(1, 64), Description("Number of transformer blocks.")] int Layers = 3,
    [property: Range(1, 64), Description("Attention heads of each block.")] int Heads = 4,
    [property: Range(8, 32768), Description("Width inside the gated feed-forward layer.")] int FeedForward = 256,
    [property: Range(1, 64), Description("Pixels along a side that become one token; divides the pictures' size, and with a stem is a multiple of stemShrink.")]
    int Patch = 4,
    [property: Description("Whether small convolutions come before the patches: learns from fewer pictures.")] bool Stem = false,
    [property: Range(4, 1024), Description("Channels of the stem's first convolution; each further one has twice as many as the one before.")] int StemWidth = 16,
    [property: Range(1, 64), Description("By how much the stem shrinks a side of the picture: a power of two that divides the patch.")] int StemShrink = 2,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 128,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0,
    [property: Range(0.0, 0.9), Description("Part of the tokens that is left out of each training picture.")] double PatchDropout = 0);
