using TorchSharp;

namespace PluginHost.Sdk.Tests;

public class TorchThreadsTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(1000, 1)]
    [InlineData(1000, 2)]
    public void ForEach_AnyCount_CallsEachNumberOnce(int count, int threads)
    {
        var calls = new int[count];
        var before = torch.get_num_threads();
        torch.set_num_threads(threads);
        try
        {
            TorchThreads.ForEach(count, i => Interlocked.Increment(ref calls[i]));
        }
        finally
        {
            torch.set_num_threads(before);
        }
        Assert.All(calls, times => Assert.Equal(1, times));
    }

    [Fact]
    public void ForEach_ThrowingCall_ThrowsItHere()
    {
        var error = Assert.Throws<InvalidOperationException>(() => TorchThreads.ForEach(100, i =>
        {
            if (i == 40) throw new InvalidOperationException("the fortieth");
        }));

        Assert.Equal("the fortieth", error.Message);
    }

    [Fact]
    public void ForEach_ManyCallersAtOnce_KeepTheirLoopsApart() =>
        Assert.All(Enumerable.Range(0, 4).AsParallel().WithDegreeOfParallelism(4).Select(caller =>
        {
            var sum = 0L;
            for (var round = 0; round < 200; round++) TorchThreads.ForEach(50, i => Interlocked.Add(ref sum, i + caller));
            return (Expected: 200L * (1225 + 50 * caller), Sum: sum);
        }).ToList(), item => Assert.Equal(item.Expected, item.Sum));
}
