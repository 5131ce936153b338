namespace PluginHost.Data;

/// <summary>Makes a numbered sequence ahead of its consumer on several threads.</summary>
internal static class Prefetch
{
    /// <summary>
    /// Items <paramref name="first"/>, first + 1, ... in order, without end. At most <paramref name="workers"/> are made at a time, and no more than
    /// these and <paramref name="ahead"/> others are there or being made. An exception is thrown in its item's place.
    /// </summary>
    /// <param name="make">Makes an item from its number alone; called on several threads at once.</param>
    public static IEnumerable<T> InOrder<T>(Func<long, CancellationToken, T> make, long first, int workers, int ahead) where T : IDisposable
    {
        using var stop = new CancellationTokenSource();
        var scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, workers).ConcurrentScheduler;
        var items = new Queue<Task<T>>();
        try
        {
            for (var next = first; ;)
            {
                for (; items.Count < workers + ahead; next++) items.Enqueue(Start(make, next, scheduler, stop.Token));
                yield return items.Dequeue().GetAwaiter().GetResult();
            }
        }
        finally
        {
            stop.Cancel();
            foreach (var item in items) Drop(item);
        }
    }

    // Without the caller's AsyncLocals, which could keep a plugin alive.
    private static Task<T> Start<T>(Func<long, CancellationToken, T> make, long number, TaskScheduler scheduler, CancellationToken stop)
    {
        using (ExecutionContext.SuppressFlow())
            return Task.Factory.StartNew(() => make(number, stop), stop, TaskCreationOptions.None, scheduler);
    }

    private static void Drop<T>(Task<T> item) where T : IDisposable
    {
        ((IAsyncResult)item).AsyncWaitHandle.WaitOne();
        if (item.IsCompletedSuccessfully) item.Result.Dispose();
        else _ = item.Exception; // seen: the consumer has left
    }
}
