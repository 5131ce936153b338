using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Encoder.Video;

/// <summary>Videos to tokens with 3D convolutions and divided space-time attention.</summary>
[Plugin("encoder.video", "3D convolutions, then a transformer with divided space-time attention: video to tokens and a pooled vector.", Checkpoints = true)]
[Input("frames", "video[B,F,C,H,W]")]
[Output("tokens", "seq[B,(F/{Tube})*(H/{Patch})*(W/{Patch}),{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Cost(
    Parameters = "27*C*{StemWidth} + 54*{StemWidth}*{StemWidth} + 6*{StemWidth} + {Tube}*{Patch}*{Patch}/4*2*{StemWidth}*{Width} + {Width} "
        + "+ {Layers}*(3*{Width} + 8*{Width}*{Width} + 3*{Width}*{FeedForward}) + {Width} + 2*{Width} + {Width}*{Pooled}",
    Activations = "B*F*(H*W*3*{StemWidth} + H/{Patch}*W/{Patch}*{Layers}*(15*{Width} + 3*{FeedForward})/{Tube})")]
public sealed class VideoEncoder(VideoOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => options.Patch % 2 == 0 ? new SpaceTimeTransformer(options, context)
        : throw new UserErrorException($"encoder.video: patch is {options.Patch}, but the first convolution halves the frames, so patch must be even; use {options.Patch + 1}.");
}

/// <summary>Settings of <see cref="VideoEncoder"/>.</summary>
[MultipleOf(nameof(Width), nameof(Heads))]
public sealed record VideoOptions(
    [property: Range(8, 8192), Description("Width of the tokens; a multiple of the heads.")] int Width = 96,
    [property: Range(1, 64), Description("Number of blocks, each with attention over time, attention over space and a feed-forward layer.")] int Layers = 2,
    [property: Range(1, 64), Description("Attention heads of each layer.")] int Heads = 4,
    [property: Range(8, 32768), Description("Width inside the gated feed-forward layer.")] int FeedForward = 192,
    [property: Range(2, 64), Description("Pixels along a side that become one token; even, divides the frames' size.")] int Patch = 8,
    [property: Range(1, 32), Description("Frames that become one token; divides the number of frames.")] int Tube = 1,
    [property: Range(4, 1024), Description("Channels of the first convolution; the second has twice as many.")] int StemWidth = 12,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 128,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0);
