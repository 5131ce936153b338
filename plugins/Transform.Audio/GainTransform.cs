// Makes a sound louder or quieter by a gain drawn evenly in decibels, as far as its loudest sample allows.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Audio;

/// <summary>Settings of <c>transform.gain</c>.</summary>
/// <param name="Decibels">Largest gain, in decibels.</param>
public sealed record GainOptions(
    [property: Range(0.1, 40.0), Description("Largest gain, in decibels, up or down; a sound gets no louder than its loudest sample allows.")] double Decibels = 6);

/// <summary>Loudness.</summary>
[Plugin("transform.gain", "Makes sounds louder or quieter.")]
public sealed class GainTransform(GainOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Audio is not Sound sound) return sample;
        var factor = Math.Pow(10, (2 * random.NextDouble() - 1) * options.Decibels / 20);
        return sample with { Audio = sound with { Samples = Waveform.Fitting([.. sound.Samples.Select(value => factor * value)]) } };
    }
}
