using System.Text;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>
/// Which positions of the stream make up a batch. With length bucketing the positions of several neighbouring batches are sorted by the length of their
/// texts and dealt out anew, so that a batch has little padding; the batches come in random order. A function of (seed, number) alone. Thread-safe.
/// </summary>
internal sealed class LengthBuckets(SampleOrder order, ISource source, TrainStream stream, DataConfig config)
{
    private const long Domain = 0x6C656E677468;
    private const int RememberedWindows = 8;

    private readonly Lock gate = new();
    private readonly SortedDictionary<long, Lazy<long[][]>> windows = [];

    /// <summary>The positions of a batch.</summary>
    public IReadOnlyList<long> Positions(long number)
    {
        if (config.TextBucket == 1) return Range(number * stream.Batch, stream.Batch);
        Lazy<long[][]>? window;
        lock (gate)
        {
            var key = number / config.TextBucket;
            if (!windows.TryGetValue(key, out window)) windows[key] = window = new(() => Window(key));
            while (windows.Count > RememberedWindows) windows.Remove(windows.Keys.First());
        }
        return window.Value[number % config.TextBucket];
    }

    private long[][] Window(long window)
    {
        var size = config.TextBucket * stream.Batch;
        var batches = Range(window * size, size).Select(position => (Position: position, Length: Length(position)))
            .OrderBy(item => item.Length).ThenBy(item => item.Position).Select(item => item.Position).Chunk(stream.Batch).ToArray();
        var random = new KeyedRandom(Domain, stream.Seed, window);
        return [.. Enumerable.Range(0, batches.Length).Select(place => batches[random.Permuted(place, batches.Length)])];
    }

    // Bytes stand in for tokens, and the text of the sample for that of its stand-in where it turns out unusable.
    private int Length(long position)
    {
        var (index, epoch) = order.At(position, 0);
        try
        {
            var drawn = TurnChoice.Draw(source.Read(stream.Split, index), stream, config.Languages, epoch, index);
            return drawn.Texts.Values.Sum(Encoding.UTF8.GetByteCount) + drawn.Turns.Sum(turn => Encoding.UTF8.GetByteCount(turn.Prompt) + Encoding.UTF8.GetByteCount(turn.Answer));
        }
        catch (BadSampleException)
        {
            return 0; // noted when it is read as a sample
        }
    }

    private static long[] Range(long first, int count) => [.. Enumerable.Range(0, count).Select(i => first + i)];
}
