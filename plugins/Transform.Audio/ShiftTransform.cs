// Moves a sound in time by a shift drawn evenly from -seconds to +seconds: what leaves is cut, what comes in is silence.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Audio;

/// <summary>Settings of <c>transform.shift</c>.</summary>
/// <param name="Seconds">Largest shift, in seconds.</param>
public sealed record ShiftOptions(
    [property: Range(0.001, 10.0), Description("Largest shift, in seconds, earlier or later; never more than half of the sound.")] double Seconds = 0.1);

/// <summary>Shift in time.</summary>
[Plugin("transform.shift", "Moves sounds to an earlier or later time.")]
public sealed class ShiftTransform(ShiftOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Audio is not Sound sound) return sample;
        var largest = Math.Min((int)(options.Seconds * sound.Rate), sound.Samples.Length / 2);
        var shift = random.Next(-largest, largest + 1);
        var samples = new float[sound.Samples.Length];
        sound.Samples.AsSpan(Math.Max(0, -shift), samples.Length - Math.Abs(shift)).CopyTo(samples.AsSpan(Math.Max(0, shift)));
        return sample with { Audio = sound with { Samples = samples } };
    }
}
