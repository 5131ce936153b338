using System.Collections.Concurrent;

namespace PluginHost.Data;

/// <summary>Runs a sequence ahead of its consumer on one background thread.</summary>
internal static class Prefetch
{
    /// <summary>The items in order, at most <paramref name="ahead"/> ready at a time; an exception of the sequence is thrown here.</summary>
    public static IEnumerable<T> Ahead<T>(Func<CancellationToken, IEnumerable<T>> sequence, int ahead, string threadName) where T : IDisposable
    {
        using var stop = new CancellationTokenSource();
        using var ready = new BlockingCollection<T>(ahead);
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                foreach (var item in sequence(stop.Token)) Hand(item, ready, stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // the consumer has left
            }
            catch (Exception error)
            {
                failure = error;
            }
            finally
            {
                ready.CompleteAdding();
            }
        })
        { IsBackground = true, Name = threadName };
        thread.UnsafeStart(); // without the caller's AsyncLocals, which could keep a plugin alive
        try
        {
            foreach (var item in ready.GetConsumingEnumerable()) yield return item;
            if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
        finally
        {
            stop.Cancel();
            thread.Join();
            foreach (var item in ready.GetConsumingEnumerable()) item.Dispose();
        }
    }

    private static void Hand<T>(T item, BlockingCollection<T> ready, CancellationToken stop) where T : IDisposable
    {
        try
        {
            ready.Add(item, stop);
        }
        catch (OperationCanceledException)
        {
            item.Dispose();
            throw;
        }
    }
}
