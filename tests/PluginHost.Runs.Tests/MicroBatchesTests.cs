using System.Collections.Concurrent;
using PluginHost.Runs.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests;

// Whether random numbers were drawn is asked of a generator that all threads share.
[CollectionDefinition(nameof(MicroBatchesTests), DisableParallelization = true)]
[Collection(nameof(MicroBatchesTests))]
public class MicroBatchesTests
{
    [Fact]
    public void Run_FirstWindow_GoesOneByOneToSeeWhetherRandomNumbersAreDrawn()
    {
        var batches = new MicroBatches(2);

        Assert.Equal(1, Concurrency(batches, draws: false));
        Assert.Equal(2, Concurrency(batches, draws: false));
    }

    [Fact]
    public void Run_RandomNumbersDrawn_StaysOneByOne()
    {
        var batches = new MicroBatches(2);

        Assert.Equal(1, Concurrency(batches, draws: true));
        Assert.Equal(1, Concurrency(batches, draws: true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Run_Items_ResultsAreInTheirOrder(int parallel)
    {
        var batches = new MicroBatches(parallel);

        for (var window = 0; window < 2; window++)
            Assert.Equal([0, 1, 4, 9, 16], batches.Run(Enumerable.Range(0, 5).ToArray(), item =>
            {
                Thread.Sleep(5 - item);
                return item * item;
            }));
    }

    [Fact]
    public void Run_OneThrows_TheOthersEndFirst()
    {
        var batches = new MicroBatches(2);
        batches.Run([0, 1], item => item);
        var ended = new ConcurrentBag<int>();

        var error = Assert.Throws<InvalidOperationException>(() => batches.Run([0, 1], item =>
        {
            if (item == 0) throw new InvalidOperationException("the first");
            Thread.Sleep(50);
            ended.Add(item);
            return item;
        }));

        Assert.Equal("the first", error.Message);
        Assert.Equal([1], ended);
    }

    [Fact]
    public void Run_Ended_GivesTheThreadsBack()
    {
        var threads = get_num_threads();

        new MicroBatches(2).Run([0, 1], item => item);

        Assert.Equal(threads, get_num_threads());
    }

    /// <summary>The most micro-batches that were seen at work together.</summary>
    private static int Concurrency(MicroBatches batches, bool draws)
    {
        int running = 0, most = 0;
        using var together = new Barrier(2);
        batches.Run([0, 1], item =>
        {
            var now = Interlocked.Increment(ref running);
            lock (batches) most = Math.Max(most, now);
            if (draws) rand(1).Dispose();
            together.SignalAndWait(TimeSpan.FromMilliseconds(500));
            Interlocked.Decrement(ref running);
            return item;
        });
        return most;
    }
}
