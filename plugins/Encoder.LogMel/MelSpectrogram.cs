// Log-mel spectrogram. Mel scale: m = 2595 log10(1 + f / 700) (O'Shaughnessy 1987; the HTK Book). Triangular filters of height 1.
// Logarithm, floor and scale as in Whisper (Radford et al. 2022): max(log10 p, max − 8), then (x + 4) / 4.
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Encoder.LogMel;

internal sealed class MelSpectrogram : IDisposable
{
    private readonly long transform;
    private readonly Tensor window;
    private readonly Tensor filters;

    public MelSpectrogram(long rate, double seconds, double hop, int bands, BuildContext context)
    {
        using var scope = NewDisposeScope();
        var length = Math.Max(2, (long)Math.Round(seconds * rate));
        Hop = Math.Max(1, (long)Math.Round(hop * rate));
        // Low bands are narrow: the transform is lengthened with zeros until every band holds a frequency.
        transform = 2;
        while (transform < length) transform *= 2;
        var rows = Filters(rate, transform, bands);
        while (rows.Any(row => row.Max() < 0.25f)) rows = Filters(rate, transform *= 2, bands);
        filters = tensor([.. rows.SelectMany(row => row)], [bands, transform / 2 + 1], device: context.Device).DetachFromDisposeScope();
        var padding = transform - length;
        window = nn.functional.pad(hann_window(length), [padding / 2, padding - padding / 2]).to(context.Device).DetachFromDisposeScope();
    }

    /// <summary>Samples from one frame to the next.</summary>
    public long Hop { get; }

    /// <summary>Samples [B, S] to [B, bands, S / hop rounded up]; frame t is centred on sample t · hop.</summary>
    public Tensor Forward(Tensor samples)
    {
        using var noGradient = no_grad();
        var frames = (samples.size(1) + Hop - 1) / Hop;
        var padded = nn.functional.pad(samples.to(ScalarType.Float32), [transform / 2, transform / 2]);
        var spectrum = stft(padded, transform, Hop, transform, window, center: false, return_complex: true);
        var power = spectrum.abs().square().narrow(2, 0, frames);              // [B, frequencies, frames]
        var mel = nn.functional.linear(power.transpose(1, 2), filters);        // [B, frames, bands]
        var logarithm = mel.transpose(1, 2).clamp_min(1e-10).log10();          // [B, bands, frames]
        var floor = logarithm.amax([1, 2], keepdim: true) - 8;
        return (maximum(logarithm, floor) + 4) / 4;
    }

    public IEnumerable<(string Name, Tensor Value)> Describe() => [("spectrogram.window", window), ("spectrogram.filters", filters)];

    private static float[][] Filters(long rate, long transform, int bands)
    {
        static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
        static double Hertz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);
        var edges = Enumerable.Range(0, bands + 2).Select(i => Hertz(Mel(rate / 2.0) * i / (bands + 1))).ToArray();
        var filters = new float[bands][];
        for (var band = 0; band < bands; band++)
        {
            filters[band] = new float[transform / 2 + 1];
            for (var bin = 0; bin < filters[band].Length; bin++)
            {
                var hertz = (double)bin * rate / transform;
                var rising = (hertz - edges[band]) / (edges[band + 1] - edges[band]);
                var falling = (edges[band + 2] - hertz) / (edges[band + 2] - edges[band + 1]);
                filters[band][bin] = (float)Math.Max(0, Math.Min(rising, falling));
            }
        }
        return filters;
    }

    public void Dispose()
    {
        window.Dispose();
        filters.Dispose();
    }
}
