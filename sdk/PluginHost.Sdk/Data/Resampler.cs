using System.Numerics;

namespace PluginHost.Sdk;

/// <summary>
/// Changes a sampling rate by a Hann-windowed sinc that also removes what the lower rate cannot carry. Output samples whose place between two
/// input samples is the same share a kernel: 80 of them from 44.1 to 8 kHz.
/// </summary>
internal static class Resampler
{
    private const int ZeroCrossings = 16;          // on each side of the kernel
    private const long MostRemembered = 4_000_000; // kernel values of rates that have little in common

    public static float[] Resample(float[] samples, int from, int to)
    {
        var divisor = (int)BigInteger.GreatestCommonDivisor(from, to);
        var (step, phases) = (from / divisor, to / divisor);
        var cutoff = Math.Min(1.0, (double)to / from); // as a part of the source's highest frequency
        var reach = ZeroCrossings / cutoff;
        var side = (int)Math.Ceiling(reach);
        var kernels = 2L * side * phases <= MostRemembered ? new float[phases][] : null;
        var result = new float[Math.Max(1, (int)((long)samples.Length * to / from))];
        for (var i = 0; i < result.Length; i++)
        {
            var (before, phase) = Math.DivRem((long)i * step, phases);
            var kernel = kernels?[phase] ?? Kernel((double)phase / phases, side, cutoff, reach);
            if (kernels is not null) kernels[phase] = kernel;
            // The kernel lies over before - side + 1 .. before + side; beyond the ends there is silence.
            var start = (int)before - side + 1;
            var (first, last) = (Math.Max(0, start), Math.Min(samples.Length, start + kernel.Length));
            if (first < last) result[i] = Math.Clamp(Dot(samples.AsSpan(first, last - first), kernel.AsSpan(first - start, last - first)), -1, 1);
        }
        return result;
    }

    private static float[] Kernel(double offset, int side, double cutoff, double reach)
    {
        var kernel = new float[2 * side];
        for (var k = 0; k < kernel.Length; k++) kernel[k] = (float)Value(k - side + 1 - offset, cutoff, reach);
        return kernel;
    }

    private static double Value(double distance, double cutoff, double reach)
    {
        if (Math.Abs(distance) > reach) return 0;
        var angle = Math.PI * distance * cutoff;
        var sinc = Math.Abs(angle) < 1e-9 ? 1 : Math.Sin(angle) / angle;
        return cutoff * sinc * 0.5 * (1 + Math.Cos(Math.PI * distance / reach));
    }

    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var sums = Vector<float>.Zero;
        var i = 0;
        for (; i <= left.Length - Vector<float>.Count; i += Vector<float>.Count) sums += new Vector<float>(left[i..]) * new Vector<float>(right[i..]);
        var sum = Vector.Sum(sums);
        for (; i < left.Length; i++) sum += left[i] * right[i];
        return sum;
    }
}
