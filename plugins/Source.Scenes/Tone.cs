using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>One to three beeps of one pitch.</summary>
/// <param name="Pitch">0 low, 1 middle, 2 high.</param>
/// <param name="Slots">Which thirds of the sound hold a beep.</param>
internal sealed record Tone(int Pitch, IReadOnlyList<int> Slots)
{
    private const int Thirds = 3;

    // Hertz at a sampling rate of 4 kHz or more; lower rates lower them alike, to stay below half the rate.
    private static readonly float[] Hertz = [320, 720, 1500];

    public static Tone Make(ref Draw draw)
    {
        var pitch = draw.Below(Hertz.Length);
        List<int> slots = [0, 1, 2];
        for (var beeps = 1 + draw.Below(Thirds); slots.Count > beeps;) slots.RemoveAt(draw.Below(slots.Count));
        return new Tone(pitch, slots);
    }

    public Sound Play(ref Draw draw, MediaFormat format)
    {
        var samples = new float[format.AudioSamples];
        var noise = draw.Between(0.005f, 0.03f);
        for (var i = 0; i < samples.Length; i++) samples[i] = draw.Between(-noise, noise);
        var hertz = Hertz[Pitch] * Math.Min(1, format.AudioRate / 4000f) * draw.Between(0.96f, 1.04f);
        var loudness = draw.Between(0.3f, 0.9f);
        var third = samples.Length / Thirds;
        foreach (var slot in Slots)
        {
            var length = (int)(third * draw.Between(0.45f, 0.65f));
            var start = slot * third + (int)((third - length) * draw.Between(0.1f, 0.6f));
            Beep(samples.AsSpan(start, length), hertz / format.AudioRate, loudness);
        }
        return new Sound(format.AudioRate, samples);
    }

    /// <summary>Adds a sine with soft ends; a rotating vector stands in for a sine call per sample.</summary>
    private static void Beep(Span<float> samples, float cyclesPerSample, float loudness)
    {
        var (sine, cosine) = Math.SinCos(2 * Math.PI * cyclesPerSample);
        double x = 1, y = 0;
        var fade = Math.Max(1, samples.Length / 12);
        for (var i = 0; i < samples.Length; i++)
        {
            var envelope = Math.Min(1f, Math.Min(i, samples.Length - 1 - i) / (float)fade);
            samples[i] += loudness * envelope * (float)y;
            (x, y) = (x * cosine - y * sine, x * sine + y * cosine);
        }
    }
}
