using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Encoder.ClipVision;

/// <summary>The picture towers of CLIP and SigLIP, as they are published.</summary>
[Plugin("encoder.clip-vision", "The picture tower of CLIP or SigLIP: learnt positions, LayerNorm and biases as in the published weights.", Checkpoints = true)]
[Input("pixels", "pixels[B,C,H,W]")]
[Output("tokens", "seq[B,H/{Patch}*W/{Patch},{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Cost(
    Parameters = "C*{Patch}*{Patch}*{Width} + {PatchBias}*{Width} + (H/{Patch}*W/{Patch} + 2*{ClassToken})*{Width} + 2*{InputNorm}*{Width} + 2*{Width} "
        + "+ {Layers}*(4*{Width} + 4*{Width}*{Width} + 4*{Width} + 2*{Width}*{FeedForward} + {FeedForward} + {Width}) + {Projection}*{Width}*{Pooled} "
        + "+ {AttentionPool}*({Width} + 4*{Width}*{Width} + 4*{Width} + 2*{Width} + 2*{Width}*{FeedForward} + {FeedForward} + {Width})",
    Activations = "B*(H/{Patch}*W/{Patch} + {ClassToken})*{Layers}*(10*{Width} + 2*{FeedForward})")]
public sealed class ClipVisionEncoder(ClipVisionOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context)
    {
        if (!options.Projection && options.Pooled != options.Width)
            throw new UserErrorException($"encoder.clip-vision: without a projection the pooled vector is as wide as the tokens: set 'pooled' to {options.Width} or \"projection\": true.");
        if (!options.ClassToken && !options.AttentionPool)
            throw new UserErrorException("encoder.clip-vision: nothing makes the pooled vector: set \"classToken\": true (CLIP) or \"attentionPool\": true (SigLIP).");
        if (options.TokenLayer < -options.Layers || options.TokenLayer > -1)
            throw new UserErrorException($"encoder.clip-vision: tokenLayer is {options.TokenLayer}, but the tower has {options.Layers} layers: use -1 (the last, with the final norm) to {-options.Layers}.");
        return new ClipTower(options, context);
    }
}

/// <summary>The non-linearity of the feed-forward layers.</summary>
public enum ClipActivation
{
    /// <summary><c>x σ(1.702 x)</c>: CLIP.</summary>
    QuickGelu,

    /// <summary>The tangent's approximation: SigLIP.</summary>
    GeluTanh,

    /// <summary>With the error function.</summary>
    Gelu,
}

/// <summary>How pixels in 0..1 are scaled before the tower sees them.</summary>
public enum ClipPixels
{
    /// <summary>By mean and deviation of the pictures that CLIP learnt from.</summary>
    Clip,

    /// <summary>To -1..1: SigLIP.</summary>
    Half,
}

/// <summary>Settings of <see cref="ClipVisionEncoder"/>; the defaults are those of CLIP ViT-B/32.</summary>
[MultipleOf(nameof(Width), nameof(Heads))]
public sealed record ClipVisionOptions(
    [property: Range(8, 8192), Description("Width of the tokens; a multiple of the heads.")] int Width = 768,
    [property: Range(1, 128), Description("Number of transformer blocks.")] int Layers = 12,
    [property: Range(1, 128), Description("Attention heads of each block.")] int Heads = 12,
    [property: Range(8, 65536), Description("Width inside the feed-forward layer.")] int FeedForward = 3072,
    [property: Range(1, 64), Description("Pixels along a side that become one token; divides the pictures' size.")] int Patch = 32,
    [property: Range(8, 8192), Description("Width of the pooled vector: the projection's, or the tokens' where there is none.")] int Pooled = 512,
    [property: Description("The non-linearity of the feed-forward layers.")] ClipActivation Activation = ClipActivation.QuickGelu,
    [property: Description("Whether a learnt token stands before the patches (CLIP); it is not among the tokens that come out.")] bool ClassToken = true,
    [property: Description("Whether a norm comes before the first block (CLIP).")] bool InputNorm = true,
    [property: Description("Whether the map of patches has a bias (SigLIP).")] bool PatchBias = false,
    [property: Description("Whether a learnt query attends to the tokens for the pooled vector (SigLIP); otherwise it is the class token.")] bool AttentionPool = false,
    [property: Description("Whether a linear map without bias makes the pooled vector (CLIP's shared space).")] bool Projection = true,
    [property: Range(1e-9, 1e-2), Description("What the norms add to the variance.")] double NormEpsilon = 1e-5,
    [property: Description("How pixels are scaled first.")] ClipPixels Pixels = ClipPixels.Clip,
    [property: Range(-128, -1), Description("Behind which layer the tokens are taken: -1 the last, with the final norm; -2 the one before it, as LLaVA does.")] int TokenLayer = -2);
