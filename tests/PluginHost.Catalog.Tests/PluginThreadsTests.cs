namespace PluginHost.Catalog.Tests;

public class PluginThreadsTests
{
    private static readonly AsyncLocal<string?> Told = new();

    [Fact]
    public async Task Run_OneAfterAnother_IsOnOneThread()
    {
        var threads = new List<int>();
        for (var i = 0; i < 5; i++)
            await PluginThreads.Run("test", () => threads.Add(Environment.CurrentManagedThreadId));

        Assert.Single(threads.Distinct());
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, threads);
    }

    [Fact]
    public async Task Run_Together_AreOnThreadsOfTheirOwn()
    {
        using var both = new Barrier(2);
        await Task.WhenAll(PluginThreads.Run("a", both.SignalAndWait), PluginThreads.Run("b", both.SignalAndWait)).WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Run_WhatThrows_IsTheTasksFailureAndTheThreadGoesOn()
    {
        var (failed, next) = (0, 0);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => PluginThreads.Run("test", () =>
        {
            failed = Environment.CurrentManagedThreadId;
            throw new InvalidDataException("torn");
        }));
        await PluginThreads.Run("test", () => next = Environment.CurrentManagedThreadId);

        Assert.Equal("torn", error.Message);
        Assert.Equal(failed, next);
    }

    [Fact]
    public async Task Run_AsyncLocals_NeitherComeInNorStay()
    {
        Told.Value = "by the caller";
        var seen = new List<string?>();
        for (var i = 0; i < 2; i++)
            await PluginThreads.Run("test", () =>
            {
                seen.Add(Told.Value);
                Told.Value = "by the work";
            });

        Assert.Equal([null, null], seen);
        Assert.Equal("by the caller", Told.Value);
    }

    [Fact]
    public void ThreadPool_Threads_AreKept() =>
        Assert.Equal("-1", AppContext.GetData("System.Threading.ThreadPool.ThreadsToKeepAlive")?.ToString());
}
