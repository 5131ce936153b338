// Plays a sound faster or slower (Ko et al. 2015, speed perturbation; the pitch changes with it): output sample i is the input at i · speed,
// interpolated by a Hann-windowed sinc whose cut-off falls with the speed, so that nothing folds back.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Audio;

/// <summary>Settings of <c>transform.speed</c>.</summary>
/// <param name="Change">Largest change of the speed, as a part of it.</param>
public sealed record SpeedOptions(
    [property: Range(0.01, 0.5), Description("Largest change of the speed, as a part of it; the length and the pitch change with it.")] double Change = 0.1);

/// <summary>Speed.</summary>
[Plugin("transform.speed", "Plays sounds faster or slower.")]
public sealed class SpeedTransform(SpeedOptions options) : ITransform
{
    private const int Reach = 16; // input samples to each side

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Audio is not Sound sound) return sample;
        var speed = 1 + (2 * random.NextDouble() - 1) * options.Change;
        var from = sound.Samples;
        var to = new double[Math.Max(1, (int)Math.Round(from.Length / speed))];
        var cutoff = Math.Min(1, 1 / speed);
        for (var i = 0; i < to.Length; i++) to[i] = At(from, i * speed, cutoff);
        return sample with { Audio = sound with { Samples = Waveform.Fitting(to) } };
    }

    private static double At(float[] samples, double position, double cutoff)
    {
        var middle = (int)Math.Floor(position);
        double sum = 0, weights = 0;
        for (var i = middle - Reach + 1; i <= middle + Reach; i++)
        {
            var distance = i - position;
            var weight = Sinc(distance * cutoff) * (0.5 + 0.5 * Math.Cos(Math.PI * distance / (Reach + 1)));
            weights += weight;
            if (i >= 0 && i < samples.Length) sum += weight * samples[i];
        }
        return sum / weights;
    }

    private static double Sinc(double x) => Math.Abs(x) < 1e-9 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}
