// SpecAugment (Park et al. 2019) on the waveform: a short-time Fourier transform (Hann, 32 ms, hop a quarter), bands and stretches set to zero, and back.
// Masks of a log-mel picture would need the encoder's own filters; bands of the spectrum do the same to every encoder. No time warping.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Transform.Audio;

/// <summary>Settings of <c>transform.spec-augment</c>.</summary>
/// <param name="Bands">Number of masked bands.</param>
/// <param name="Widest">Widest band, as a part of all frequencies.</param>
/// <param name="Stretches">Number of masked stretches of time.</param>
/// <param name="Longest">Longest stretch, as a part of the sound.</param>
public sealed record SpecAugmentOptions(
    [property: Range(0, 10), Description("Number of bands of frequencies that are set to zero.")] int Bands = 2,
    [property: Range(0.0, 0.5), Description("Widest band, as a part of all frequencies.")] double Widest = 0.15,
    [property: Range(0, 10), Description("Number of stretches of time that are set to zero.")] int Stretches = 2,
    [property: Range(0.0, 0.5), Description("Longest stretch, as a part of the sound.")] double Longest = 0.1);

/// <summary>Masks in time and frequency.</summary>
[Plugin("transform.spec-augment", "Silences random bands of frequencies and stretches of time of sounds.")]
public sealed class SpecAugmentTransform(SpecAugmentOptions options) : ITransform
{
    private const double WindowSeconds = 0.032;

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Audio is not Sound sound) return sample;
        var window = 4 * Math.Max(4, (int)(sound.Rate * WindowSeconds / 4));
        if (sound.Samples.Length < window) return sample;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var hann = hann_window(window);
        var spectrum = stft(tensor(sound.Samples), window, window / 4, window, hann, return_complex: true);                // [frequencies, frames]
        var mask = tensor(Mask((int)spectrum.size(0), (int)spectrum.size(1), random)).reshape(spectrum.shape);
        var masked = istft(spectrum * mask, window, window / 4, window, hann, length: sound.Samples.Length);               // [samples]
        return sample with { Audio = sound with { Samples = Waveform.Fitting([.. masked.data<float>().Select(value => (double)value)]) } };
    }

    private float[] Mask(int frequencies, int frames, Random random)
    {
        var mask = new float[frequencies * frames];
        Array.Fill(mask, 1);
        for (var band = 0; band < options.Bands; band++)
        {
            var (first, count) = Part(frequencies, options.Widest, random);
            mask.AsSpan(first * frames, count * frames).Clear();
        }
        for (var stretch = 0; stretch < options.Stretches; stretch++)
        {
            var (first, count) = Part(frames, options.Longest, random);
            for (var frequency = 0; frequency < frequencies; frequency++) mask.AsSpan(frequency * frames + first, count).Clear();
        }
        return mask;
    }

    private static (int First, int Count) Part(int length, double largest, Random random)
    {
        var count = random.Next((int)(largest * length) + 1);
        return (random.Next(length - count + 1), count);
    }
}
