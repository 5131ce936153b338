namespace Media.Wav;

/// <summary>Changes a sampling rate by a Hann-windowed sinc that also removes what the lower rate cannot carry.</summary>
internal static class Resampler
{
    private const int ZeroCrossings = 16; // on each side of the kernel

    public static float[] Resample(float[] samples, int from, int to)
    {
        if (from == to) return samples;
        var cutoff = Math.Min(1.0, (double)to / from); // as a part of the source's highest frequency
        var reach = ZeroCrossings / cutoff;
        var result = new float[Math.Max(1, (int)((long)samples.Length * to / from))];
        for (var i = 0; i < result.Length; i++)
        {
            var centre = (double)i * from / to;
            var (first, last) = (Math.Max(0, (int)Math.Ceiling(centre - reach)), Math.Min(samples.Length - 1, (int)Math.Floor(centre + reach)));
            var sum = 0.0;
            for (var k = first; k <= last; k++) sum += samples[k] * Kernel(k - centre, cutoff, reach);
            result[i] = (float)sum;
        }
        return result;
    }

    private static double Kernel(double distance, double cutoff, double reach)
    {
        var angle = Math.PI * distance * cutoff;
        var sinc = Math.Abs(angle) < 1e-9 ? 1 : Math.Sin(angle) / angle;
        return cutoff * sinc * 0.5 * (1 + Math.Cos(Math.PI * distance / reach));
    }
}
