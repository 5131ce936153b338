// Pictures as tokens with nothing but a linear map of each patch (Kim et al. 2021, ViLT): whoever reads the tokens does the seeing.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Encoder.Patches;

/// <summary>Pictures to tokens without a tower.</summary>
[Plugin("encoder.patches", "Patches of pictures, with an optional small convolutional stem, to tokens: no layers of its own.")]
[Input("pixels", "pixels[B,C,H,W]")]
[Output("tokens", "seq[B,H/{Patch}*W/{Patch},{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Cost(
    Parameters = "(1-{Stem})*C*{Patch}*{Patch}*{Width} + {Width} "
        + "+ {Stem}*(9*C*{StemWidth} + 6*{StemWidth}*{StemWidth}*({StemShrink}*{StemShrink} - 1) + 2*{StemWidth}*(2*{StemShrink} - 1) + {StemWidth}*{Patch}*{Patch}*{Width}/{StemShrink}) "
        + "+ 2*{Width} + {Width}*{Pooled}",
    Activations = "B*(H/{Patch}*W/{Patch}*2*{Width} + {Stem}*H*W*10*{StemWidth}*(2*{StemShrink} - 1)/(3*{StemShrink}))")]
public sealed class PatchesEncoder(PatchesOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new PictureTokens(options, context);
}

/// <summary>Settings of <see cref="PatchesEncoder"/>.</summary>
public sealed record PatchesOptions(
    [property: Range(8, 8192), Description("Width of the tokens.")] int Width = 128,
    [property: Range(1, 64), Description("Pixels along a side that become one token; divides the pictures' size, and with a stem is a multiple of stemShrink.")]
    int Patch = 4,
    [property: Description("Whether small convolutions come before the patches: learns from fewer pictures.")] bool Stem = false,
    [property: Range(4, 1024), Description("Channels of the stem's first convolution; each further one has twice as many as the one before.")] int StemWidth = 16,
    [property: Range(1, 64), Description("By how much the stem shrinks a side of the picture: a power of two that divides the patch.")] int StemShrink = 2,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 128);

internal sealed class PictureTokens : nn.Module, IEncoder, IDescribedTower
{
    private readonly PatchesOptions options;
    private readonly BuildContext context;
    private readonly PatchEmbedding patches;
    private readonly PooledHead pooled;

    public PictureTokens(PatchesOptions options, BuildContext context) : base(nameof(PictureTokens))
    {
        (this.options, this.context) = (options, context);
        var shape = new PatchShape(options.Width, options.Patch, options.Stem, options.StemWidth, options.StemShrink).Checked("encoder.patches");
        patches = new PatchEmbedding(shape, context.Dimension("C"), context);
        pooled = new PooledHead(options.Width, options.Pooled, context);
        register_module(nameof(patches), patches);
        register_module(nameof(pooled), pooled);
    }

    /// <summary>A tower of no layers.</summary>
    public TowerDescription Describe() => new()
    {
        Kind = TowerKind.PictureEncoder,
        Width = options.Width,
        Layers = 0,
        Heads = 1,
        KeyValueHeads = 1,
        HeadWidth = options.Width,
        FeedForward = 0,
        NormEpsilon = 1e-6,
        Activation = TowerActivation.GatedSilu,
        PixelMean = [.. Enumerable.Repeat(0.5, (int)context.Dimension("C"))],
        PixelDeviation = [.. Enumerable.Repeat(0.5, (int)context.Dimension("C"))],
        Tensors = TowerDescription.Named([.. patches.Describe(context.Dimension("H") / options.Patch, context.Dimension("W") / options.Patch), .. pooled.Describe()]),
    };

    public Encoded Encode(Masked input)
    {
        var x = patches.Forward(input.Data);  // [B, rows * columns, width]
        var tokens = new Masked(x, input.Mask.unsqueeze(1).expand(x.size(0), x.size(1)));
        return new Encoded(tokens, pooled.Forward(tokens));
    }
}
