using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace PluginHost.Catalog;

/// <summary>
/// Threads for plugin code that needs one of its own. They are lent again and never end: where a thread that has used a thread-static variable
/// of an unloaded plugin ends (array pools have one for each type), .NET 10 frees its handle in the load context that has the variable's
/// number now, and writes null over a slot there or, beyond its slots, over the head of whatever object follows. The pool's threads are
/// kept for the same reason (<c>System.Threading.ThreadPool.ThreadsToKeepAlive</c>).
/// </summary>
public static class PluginThreads
{
    private static readonly ConcurrentStack<Worker> Idle = [];

    /// <summary>Runs work on a thread that does nothing else meanwhile, without the caller's AsyncLocals.</summary>
    /// <param name="name">Of the thread while it works.</param>
    /// <param name="work">What to do.</param>
    /// <returns>Ends with the work, and fails as it does.</returns>
    public static Task Run(string name, Action work)
    {
        if (!Idle.TryPop(out var worker)) worker = new Worker();
        return worker.Do(name, work);
    }

    private sealed class Worker
    {
        private readonly Thread thread;
        private readonly SemaphoreSlim given = new(0);
        private (Action Work, TaskCompletionSource Done)? job;

        public Worker()
        {
            thread = new Thread(Serve) { IsBackground = true };
            thread.UnsafeStart();
        }

        public Task Do(string name, Action work)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            thread.Name = name;
            job = (work, done);
            given.Release();
            return done.Task;
        }

        private void Serve()
        {
            var clean = ExecutionContext.Capture()!;
            while (true)
            {
                given.Wait();
                Work(clean);
            }
        }

        // A frame of its own, so that a thread that waits keeps nothing of what it did.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Work(ExecutionContext clean)
        {
            var (work, done) = job!.Value;
            job = null;
            Exception? failure = null;
            try
            {
                // What it puts into AsyncLocals ends with it.
                ExecutionContext.Run(clean, static work => ((Action)work!)(), work);
            }
            catch (Exception error)
            {
                failure = error;
            }
            Idle.Push(this);
            if (failure is null) done.SetResult();
            else done.SetException(failure);
        }
    }
}
