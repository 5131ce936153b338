using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Encoder.Vit;

/// <summary>Pictures to tokens with a vision transformer.</summary>
[Plugin("encoder.vit", "Vision transformer: patches, with an optional small convolutional stem, to tokens and a pooled vector.", Checkpoints = true)]
[Input("pixels", "pixels[B,C,H,W]")]
[Output("tokens", "seq[B,H/{Patch}*W/{Patch},{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Cost(
    Parameters = "(1-{Stem})*C*{Patch}*{Patch}*{Width} + {Width} "
        + "+ {Stem}*(9*C*{StemWidth} + 18*{StemWidth}*{StemWidth} + 6*{StemWidth} + {StemWidth}*{Patch}*{Patch}*{Width}/2) "
        + "+ {Layers}*(2*{Width} + 4*{Width}*{Width} + 3*{Width}*{FeedForward}) + {Width} + 2*{Width} + {Width}*{Pooled}",
    Activations = "B*(H/{Patch}*W/{Patch}*{Layers}*(8*{Width} + 3*{FeedForward}) + {Stem}*H*W*5*{StemWidth})")]
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
    [property: Range(1, 64), Description("Pixels along a side that become one token; divides the pictures' size, and is even with a stem.")]
    int Patch = 4,
    [property: Description("Whether two small convolutions come before the patches: learns from fewer pictures.")] bool Stem = false,
    [property: Range(4, 1024), Description("Channels of the stem's first convolution; the second has twice as many.")] int StemWidth = 16,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 128,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0,
    [property: Range(0.0, 0.9), Description("Part of the tokens that is left out of each training picture.")] double PatchDropout = 0,
    [property: Range(0.0, 1.0), Description("How strongly training pictures are mirrored, turned, moved, scaled and recoloured; 0: not at all.")] double Augment = 0);
