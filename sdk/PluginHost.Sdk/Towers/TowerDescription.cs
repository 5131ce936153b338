using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>A transformer tower that says what it is made of; importers, exporters and engines work from that alone.</summary>
public interface IDescribedTower
{
    /// <summary>What the tower computes and the tensors that it computes it with.</summary>
    TowerDescription Describe();
}

/// <summary>What a tower reads and gives.</summary>
public enum TowerKind
{
    /// <summary>Token ids to logits, each position seeing those before it.</summary>
    CausalDecoder,

    /// <summary>Token ids to tokens, each position seeing all.</summary>
    TextEncoder,

    /// <summary>Pictures to tokens.</summary>
    PictureEncoder,

    /// <summary>Sound to tokens, through a log-mel spectrogram.</summary>
    SoundEncoder,

    /// <summary>Videos to tokens, by time and then row by row: attention over time and over space by turns.</summary>
    VideoEncoder,
}

/// <summary>The feed-forward layer of a tower.</summary>
public enum TowerActivation
{
    /// <summary><c>down_proj(silu(gate_proj x) · up_proj x)</c>.</summary>
    GatedSilu,

    /// <summary><c>fc2(gelu(fc1 x))</c>, with the error function.</summary>
    Gelu,

    /// <summary>The same with the tangent's approximation.</summary>
    GeluTanh,

    /// <summary><c>fc2(y · σ(1.702 y))</c> with <c>y = fc1 x</c>.</summary>
    QuickGelu,
}

/// <summary>
/// A pre-norm transformer tower in numbers and named tensors. <c>x = input</c>; in each layer <c>x += o_proj(attention(norm x))</c> and
/// <c>x += feed_forward(norm x)</c>; then the final norm. A norm with a bias is a LayerNorm, one without an RMSNorm. A layer of a video encoder has two attentions
/// instead: <c>time</c>, of each place by itself, then <c>space</c>, of each time by itself.
/// </summary>
/// <remarks>
/// Names of tensors: <c>layers.N.attention_norm.weight</c>, <c>layers.N.attention.{q,k,v,o}_proj.weight</c>, <c>layers.N.attention.{q,k}_norm.weight</c>,
/// <c>layers.N.feed_forward_norm.weight</c>, <c>layers.N.feed_forward.{gate,up,down}_proj.weight</c> or <c>.{fc1,fc2}.weight</c>, <c>norm.weight</c>; biases end in
/// <c>.bias</c>. Of text: <c>embedding.weight</c> and, unless it is that, <c>head.weight</c>. Of pictures: <c>stem.N.{kernel,weight,bias}</c> (convolution 3×3, group norm, GELU),
/// <c>patches.weight</c>, <c>positions</c> [tokens, width], <c>class_token</c> [width], <c>input_norm.weight</c>. Of sound: <c>spectrogram.window</c> [window], <c>spectrogram.filters</c>
/// [bands, window / 2 + 1], <c>convolutions.N.{weight,bias}</c> (of three neighbours in time, GELU; what stands behind a sound's end is zero before each).
/// Of videos: those of pictures with time before height in each kernel, so that the size of <c>patches.weight</c> [width, channels, frames, height, width] says how many frames become one
/// token (group norm of each frame; absent frames are zero before each convolution; a token is there if one of its frames is), <c>layers.N.{time,space}_norm.weight</c> and
/// <c>layers.N.{time,space}.{q,k,v,o}_proj.weight</c>. Of the pooled vector: <c>pooled.norm.weight</c>, <c>pooled.proj.weight</c>
/// (of the class token, or of the tokens' mean, whose norm adds 1e-5), or <c>pooled.probe</c> [width] with an attention and a feed-forward layer of its own.
/// </remarks>
public sealed record TowerDescription
{
    /// <summary>What it reads and gives.</summary>
    public required TowerKind Kind { get; init; }

    /// <summary>Width of the hidden states.</summary>
    public required long Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads of a block.</summary>
    public required long Heads { get; init; }

    /// <summary>Key/value heads of a block; divides the heads.</summary>
    public required long KeyValueHeads { get; init; }

    /// <summary>Width of a head.</summary>
    public required long HeadWidth { get; init; }

    /// <summary>Width inside the feed-forward layer.</summary>
    public required long FeedForward { get; init; }

    /// <summary>What the norms add before the root.</summary>
    public required double NormEpsilon { get; init; }

    /// <summary>The feed-forward layer.</summary>
    public required TowerActivation Activation { get; init; }

    /// <summary>Base of the wavelengths of rotary positions, halves of a head turned against each other; null: positions are in the input.</summary>
    public double? RotaryBase { get; init; }

    /// <summary>Of pictures and videos: each channel's mean, which is taken from values in 0..1 first.</summary>
    public IReadOnlyList<double> PixelMean { get; init; } = [];

    /// <summary>Of pictures and videos: by what each channel is divided then.</summary>
    public IReadOnlyList<double> PixelDeviation { get; init; } = [];

    /// <summary>Of sound: samples from one frame to the next; frame t is centred on sample t · hop.</summary>
    public long Hop { get; init; }

    /// <summary>By how much each convolution thins out: of sound in time, of videos in height and width.</summary>
    public IReadOnlyList<long> Strides { get; init; } = [];

    /// <summary>Layers that the tokens go through; the rest and the final norm are for the pooled vector. Null: all, and the norm.</summary>
    public int? TokenLayers { get; init; }

    /// <summary>Views of what the tower computes with: who writes into them (without a gradient) changes the tower. They belong to the caller's dispose scope.</summary>
    public required IReadOnlyDictionary<string, Tensor> Tensors { get; init; }

    /// <summary>Tensors by name, in order.</summary>
    public static IReadOnlyDictionary<string, Tensor> Named(IEnumerable<(string Name, Tensor Value)> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return tensors.ToDictionary(item => item.Name, item => item.Value);
    }
}
