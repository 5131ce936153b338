// Log-mel frames, two convolutions of which the second thins them out in time, transformer blocks with rotary positions
// (the encoder of Whisper, Radford et al. 2022, at any size).
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Encoder.LogMel;

internal sealed class AudioTransformer : nn.Module, IEncoder, ITower, IDescribedTower
{
    private const double RotaryBase = 10000;

    private readonly long stride;
    private readonly ScalarType type;
    private readonly MelSpectrogram spectrogram;
    private readonly TimeConvolution local;
    private readonly TimeConvolution thinning;
    private readonly Rotary rotary;
    private readonly TransformerStack stack;
    private readonly PooledHead pooled;

    public AudioTransformer(LogMelOptions options, BuildContext context) : base(nameof(AudioTransformer))
    {
        (stride, type) = (options.Stride, context.Dtype);
        spectrogram = new MelSpectrogram(context.Dimension("R"), options.Window, options.Hop, options.Bands, context);
        local = new TimeConvolution(options.Bands, options.Width, 1, context);
        thinning = new TimeConvolution(options.Width, options.Width, options.Stride, context);
        rotary = new Rotary(options.Width / options.Heads, RotaryBase, context);
        stack = new TransformerStack(
            new BlockShape(options.Width, options.Layers, options.Heads, options.Heads, options.FeedForward, options.Dropout), context);
        pooled = new PooledHead(options.Width, options.Pooled, context);
        register_module(nameof(local), local);
        register_module(nameof(thinning), thinning);
        register_module(nameof(stack), stack);
        register_module(nameof(pooled), pooled);
    }

    public IReadOnlyList<Projection> Projections => stack.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => stack.KeyValueSlots;

    public TowerDescription Describe() =>
        stack.Describe(TowerKind.SoundEncoder, [.. spectrogram.Describe(), .. local.Describe(0), .. thinning.Describe(1), .. pooled.Describe()]) with
        {
            RotaryBase = RotaryBase,
            Hop = spectrogram.Hop,
            Strides = [1, stride],
        };

    public Encoded Encode(Masked input)
    {
        var frames = spectrogram.Forward(input.Data * input.Mask);                 // [B, bands, frames]
        var frameMask = Every(input.Mask, spectrogram.Hop, frames.size(2));        // [B, frames]
        // What stands behind the end of a sound is zero before each convolution, however long the padding.
        var real = frameMask.unsqueeze(1).to(type);
        var x = local.Forward(frames.to(type) * real) * real;
        x = thinning.Forward(x).transpose(1, 2).contiguous();                      // [B, tokens, width]
        var mask = Every(frameMask, stride, x.size(1));                            // [B, tokens]
        var pass = new AttentionPass(AttentionMask.Keys(mask, type), Causal: false, rotary.Range(0, x.size(1)), null);
        var tokens = new Masked(stack.Forward(x, pass), mask);
        return new Encoded(tokens, pooled.Forward(tokens));
    }

    // A frame or token counts as real if the sample or frame in its middle is.
    private static Tensor Every(Tensor mask, long step, long count) =>
        mask.index_select(1, arange(count, dtype: ScalarType.Int64, device: mask.device) * step);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            spectrogram.Dispose();
            rotary.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>Convolution over three neighbours in time, then GELU.</summary>
internal sealed class TimeConvolution : nn.Module
{
    private readonly long stride;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public TimeConvolution(long inputs, long outputs, long stride, BuildContext context) : base(nameof(TimeConvolution))
    {
        this.stride = stride;
        weight = Initial.Normal(context, [outputs, inputs, 3], Math.Sqrt(2.0 / (3 * inputs)));
        bias = Initial.Constant(context, [outputs], 0);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    public IEnumerable<(string Name, Tensor Value)> Describe(int index) => [($"convolutions.{index}.weight", weight), ($"convolutions.{index}.bias", bias)];

    public Tensor Forward(Tensor x) => gelu(PluginHost.Sdk.Layers.Convolution.Forward(x, weight, bias, stride, 1));
}
