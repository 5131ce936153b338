// Adds noise n to a sound x at a signal-to-noise ratio drawn evenly in decibels:
//   y = x + g n,  g² = P(x) / (P(n) 10^(snr/10)),  P the mean square of just these samples, so that the ratio is exact.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Audio;

/// <summary>How the power of noise is spread over frequencies.</summary>
public enum NoiseColour
{
    /// <summary>Evenly.</summary>
    White,

    /// <summary>As 1/f, like much of what is heard in the background.</summary>
    Pink,

    /// <summary>As 1/f².</summary>
    Brown,
}

/// <summary>Settings of <c>transform.noise</c>.</summary>
/// <param name="Lowest">Lowest signal-to-noise ratio, in decibels.</param>
/// <param name="Span">How far above it the highest lies, in decibels.</param>
/// <param name="Colour">How the noise is spread over frequencies.</param>
public sealed record NoiseOptions(
    [property: Range(-20.0, 60.0), Description("Lowest signal-to-noise ratio, in decibels.")] double Lowest = 10,
    [property: Range(0.0, 60.0), Description("How far above the lowest ratio the highest lies, in decibels.")] double Span = 20,
    [property: Description("How the noise's power is spread over frequencies: white evenly, pink as 1/f, brown as 1/f².")] NoiseColour Colour = NoiseColour.Pink);

/// <summary>Background noise.</summary>
[Plugin("transform.noise", "Adds noise to sounds at a chosen signal-to-noise ratio.")]
public sealed class NoiseTransform(NoiseOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Audio is not Sound sound) return sample;
        var ratio = Math.Pow(10, (options.Lowest + options.Span * random.NextDouble()) / 10);
        var noise = Noise(sound.Samples.Length, options.Colour, random);
        var (signal, power) = (Waveform.Power(sound.Samples), Waveform.Power(noise));
        if (signal == 0 || power == 0) return sample; // no ratio to silence
        var gain = Math.Sqrt(signal / (power * ratio));
        return sample with { Audio = sound with { Samples = Waveform.Fitting([.. sound.Samples.Select((value, i) => value + gain * noise[i])]) } };
    }

    private static float[] Noise(int length, NoiseColour colour, Random random)
    {
        var noise = new float[length];
        Span<double> held = stackalloc double[8];
        for (int i = 0, rows = 0; i < length; i++)
        {
            var white = Gaussian(random);
            switch (colour)
            {
                case NoiseColour.Pink:
                    // Voss and McCartney: row k is drawn anew every 2^k samples.
                    var row = System.Numerics.BitOperations.TrailingZeroCount(++rows);
                    if (row < held.Length) held[row] = Gaussian(random);
                    var sum = white;
                    foreach (var value in held) sum += value;
                    noise[i] = (float)sum;
                    break;
                case NoiseColour.Brown:
                    held[0] = 0.998 * held[0] + white; // leaking, or it would wander off
                    noise[i] = (float)held[0];
                    break;
                default:
                    noise[i] = (float)white;
                    break;
            }
        }
        return noise;
    }

    // Box and Muller.
    private static double Gaussian(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
