using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using PluginHost.Sdk;

namespace PluginHost.Bench;

/// <summary>
/// How fast this machine reads as much memory as a model's weights again and again, on the threads of libtorch: the limit of a decoding step. What fits into its caches is read from there.
/// </summary>
/// <param name="bytes">How much the weights are.</param>
internal sealed class ReadingMemory(long bytes)
{
    private const int Block = 1 << 16;

    private const long Enough = 1L << 28; // bytes that are read to know

    // Written to: else all of it would be one page of zeros.
    private readonly float[] large = [.. Enumerable.Repeat(1f, (int)((bytes / sizeof(float) + Block - 1) / Block) * Block)];

    /// <summary>Reads all of it, more than once where it is little.</summary>
    public double BytesPerSecond()
    {
        Read();
        var (times, watch) = ((int)Math.Max(1, Enough / (large.LongLength * sizeof(float))), Stopwatch.StartNew());
        for (var i = 0; i < times; i++) Read();
        return times * large.LongLength * sizeof(float) / watch.Elapsed.TotalSeconds;
    }

    private void Read()
    {
        var sums = new float[large.Length / Block];
        TorchThreads.ForEach(sums.Length, i => sums[i] = Sum(large.AsSpan(i * Block, Block)));
        if (sums.Any(sum => sum != Block)) throw new InvalidOperationException("the sum of the memory that was read is wrong");
    }

    // Four places at once keep more of memory busy than one. Optimised from its first call on: it is called too seldom to be compiled again.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(ReadOnlySpan<float> values)
    {
        var (a, b, c, d) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        var quarter = values.Length / 4;
        for (var at = 0; at < quarter; at += Vector<float>.Count)
        {
            a += new Vector<float>(values[at..]);
            b += new Vector<float>(values[(at + quarter)..]);
            c += new Vector<float>(values[(at + 2 * quarter)..]);
            d += new Vector<float>(values[(at + 3 * quarter)..]);
        }
        return Vector.Sum(a + b + c + d);
    }
}
