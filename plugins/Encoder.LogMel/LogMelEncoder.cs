using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Encoder.LogMel;

/// <summary>Sound to tokens through a log-mel spectrogram.</summary>
[Plugin("encoder.log-mel", "Audio transformer over a log-mel spectrogram: sound to tokens and a pooled vector.", Checkpoints = true)]
[Input("samples", "wave[B,S,R]")]
[Output("tokens", "seq[B,N,{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Tower(Layers = "{Layers}", Width = "{Width}", KeyWidth = "{Width}", FeedForward = "{FeedForward}")]
[Cost(
    Parameters = "3*{Bands}*{Width} + 3*{Width}*{Width} + 2*{Width} "
        + "+ {Layers}*(2*{Width} + 4*{Width}*{Width} + 3*{Width}*{FeedForward}) + 3*{Width} + {Width}*{Pooled}",
    Activations = "B*S/100*({Bands} + 4*{Width} + {Layers}*(8*{Width} + 3*{FeedForward})/{Stride})")]
public sealed class LogMelEncoder(LogMelOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new AudioTransformer(options, context);
}

/// <summary>Settings of <see cref="LogMelEncoder"/>.</summary>
[MultipleOf(nameof(Width), nameof(Heads), Factor = 2)]
public sealed record LogMelOptions(
    [property: Range(8, 8192), Description("Width of the tokens; a multiple of twice the heads.")] int Width = 64,
    [property: Range(1, 64), Description("Number of transformer blocks.")] int Layers = 1,
    [property: Range(1, 64), Description("Attention heads of each block.")] int Heads = 2,
    [property: Range(8, 32768), Description("Width inside the gated feed-forward layer.")] int FeedForward = 128,
    [property: Range(4, 128), Description("Bands of the mel scale, from 0 Hz to half the sampling rate.")] int Bands = 40,
    [property: Range(0.004, 0.2), Description("Length of the spectrogram's window, in seconds.")] double Window = 0.032,
    [property: Range(0.002, 0.2), Description("Time from one window to the next, in seconds.")] double Hop = 0.016,
    [property: Range(1, 16), Description("Windows that become one token.")] int Stride = 2,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 128,
    [property: Range(0.0, 0.9), Description("Chance that a residual branch's output is dropped in training.")] double Dropout = 0);
