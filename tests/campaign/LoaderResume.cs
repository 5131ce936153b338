using System.Diagnostics;
using System.Globalization;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Sdk;

namespace PluginHost.Campaign;

/// <summary>Takes up the training stream of a synthetic index at a sample far into it, and times the first batch.</summary>
internal static class LoaderResume
{
    private const int Batch = 64;

    /// <summary>Two million captioned pictures that exist when they are read.</summary>
    private sealed class Synthetic : ISource
    {
        public IReadOnlyList<string> Splits { get; } = ["train"];

        public string Fingerprint => "synthetic";

        public int Count(string split) => 2_000_000;

        public Sample Read(string split, int index) => new($"sample-{index}")
        {
            Image = new Picture(32, 32, new byte[32 * 32 * 3]),
            Texts = new Dictionary<string, string> { ["en"] = new('a', 1 + index % 40) },
        };

        public void Dispose()
        {
        }
    }

    /// <returns>Whether the same samples came as in a stream that was never stopped, each time.</returns>
    public static bool Run(long sample)
    {
        var right = true;
        foreach (var (name, bucket) in new[] { ("in order", 1), ("with length bucketing over 100 batches", 100) })
        {
            var config = new DataConfig { Sources = [], TextBucket = bucket };
            var clock = Stopwatch.StartNew();
            var resumed = First(config, sample / Batch, 1);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: first batch at sample {sample / Batch * Batch:N0} of 2,000,000 after {clock.Elapsed.TotalMilliseconds:0} ms"));
            // The bucket's window once more, from its first batch on.
            var before = sample / Batch % bucket;
            right &= First(config, sample / Batch - before, (int)before + 1)[^1] == resumed[0];
        }
        return right;
    }

    private static List<string> First(DataConfig config, long batch, int count)
    {
        using var data = new Dataset(config, new Synthetic(), [], new RejectionLog(), TorchSharp.torch.CPU);
        var batches = new List<string>();
        foreach (var made in data.Train(new TrainStream("train", 1, Batch, [], 1, batch)).Take(count))
            using (made) batches.Add(string.Join(' ', made.Samples.Select(item => item.Id)));
        return batches;
    }
}
