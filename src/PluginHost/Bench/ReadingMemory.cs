using System.Diagnostics;
using System.Numerics;
using PluginHost.Sdk;

namespace PluginHost.Bench;

/// <summary>How fast this machine reads memory, on the threads of libtorch.</summary>
internal sealed class ReadingMemory
{
    private const int Block = 1 << 20;

    // Larger than any cache, and written to: else all of it would be one page of zeros.
    private readonly float[] large = [.. Enumerable.Repeat(1f, 64 * Block)];

    /// <summary>Reads all of it once.</summary>
    public double BytesPerSecond()
    {
        var sums = new float[large.Length / Block];
        var watch = Stopwatch.StartNew();
        TorchThreads.ForEach(sums.Length, i =>
        {
            var values = large.AsSpan(i * Block, Block);
            var (a, b, c, d) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
            for (var at = 0; at < Block; at += 4 * Vector<float>.Count)
            {
                a += new Vector<float>(values[at..]);
                b += new Vector<float>(values[(at + Vector<float>.Count)..]);
                c += new Vector<float>(values[(at + 2 * Vector<float>.Count)..]);
                d += new Vector<float>(values[(at + 3 * Vector<float>.Count)..]);
            }
            sums[i] = Vector.Sum(a + b + c + d);
        });
        var seconds = watch.Elapsed.TotalSeconds;
        return sums.Sum() == large.Length ? large.Length * sizeof(float) / seconds : throw new InvalidOperationException("the sum of the memory that was read is wrong");
    }
}
