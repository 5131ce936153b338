namespace Transform.Audio;

/// <summary>Samples of a sound.</summary>
internal static class Waveform
{
    /// <summary>Mean square.</summary>
    public static double Power(ReadOnlySpan<float> samples)
    {
        double sum = 0;
        foreach (var value in samples) sum += (double)value * value;
        return samples.Length == 0 ? 0 : sum / samples.Length;
    }

    /// <summary>Samples made quieter as a whole where the loudest would leave -1..1: no clipping, and the ratio of what was mixed stays.</summary>
    public static float[] Fitting(double[] samples)
    {
        var peak = samples.Length == 0 ? 0 : samples.Max(Math.Abs);
        var factor = peak > 1 ? 1 / peak : 1;
        return [.. samples.Select(value => (float)Math.Clamp(value * factor, -1, 1))];
    }
}
