using System.Diagnostics;
using System.Runtime;

namespace PluginHost.Catalog;

/// <summary>
/// Where steps (of training, of generation) and garbage collections take turns. TorchSharp turns a number into a native scalar object
/// and hands only its handle on: a collection in the middle of the call (another thread need only allocate) lets the finalizer free the
/// scalar under libtorch's eyes, and the step fails at random. Steps therefore run in a no-GC region; now and then they
/// meet between two steps and the collector has its turn. Where one step allocates more than that, a collection happens after all and
/// nothing else changes. No more steps run at once than there are cores, first come first served: more would only make each other
/// wait in the middle.
/// </summary>
public static class StepGate
{
    /// <summary>Set aside for steps: what the data threads allocate meanwhile is most of it.</summary>
    private const long Budget = 256L << 20;

    /// <summary>Between two turns of the collector: a few milliseconds at a time, since all steps wait for it.</summary>
    private const long Turn = 8L << 20;

    /// <summary>A step that hangs must not hold up collections for ever.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(30);

    private static readonly int Limit = Environment.ProcessorCount;
    private static readonly object Gate = new();
    private static readonly Queue<SemaphoreSlim> Waiting = new();
    private static int running;
    private static int collecting;
    private static long allocatedAtStart;
    private static bool collected;

    [ThreadStatic]
    private static int depth;

    [ThreadStatic]
    private static SemaphoreSlim? turn;

    /// <summary>Begins a step of this thread; disposing the pass ends it. A step within a step is part of it.</summary>
    public static Pass Enter()
    {
        if (depth++ > 0) return default;
        var mine = turn ??= new SemaphoreSlim(0);
        lock (Gate)
        {
            Waiting.Enqueue(mine);
            Admit();
        }
        mine.Wait();
        return default;
    }

    /// <summary>Collects all garbage between two steps, blocking.</summary>
    /// <exception cref="InvalidOperationException">This thread is in a step.</exception>
    public static void Collect()
    {
        if (depth > 0) throw new InvalidOperationException("A step cannot wait for itself to end.");
        var began = Stopwatch.GetTimestamp();
        lock (Gate)
        {
            collecting++;
            while (running > 0 && LongestStep - Stopwatch.GetElapsedTime(began) is var left && left > TimeSpan.Zero) Monitor.Wait(Gate, left);
            EndRegion();
            GC.Collect();
            collected = true;
            collecting--;
            Admit();
        }
    }

    /// <summary>
    /// Waits while a step runs and the bytes that this thread is about to allocate would exceed what is set aside: a collection would come in
    /// the middle of the step. For work beside the steps that allocates much; within a step it does nothing.
    /// </summary>
    /// <param name="bytes">About as much as will be allocated.</param>
    public static void AwaitRoom(long bytes)
    {
        if (depth > 0) return;
        var began = Stopwatch.GetTimestamp();
        lock (Gate)
            while (running > 0 && GC.GetTotalAllocatedBytes() - allocatedAtStart + bytes > Budget && LongestStep - Stopwatch.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
                Monitor.Wait(Gate, left);
    }

    private static void Admit()
    {
        while (Waiting.Count > 0 && collecting == 0 && running < Limit && (running == 0 || !IsDue()))
        {
            if (running == 0 && (GCSettings.LatencyMode != GCLatencyMode.NoGCRegion || IsDue())) BeginRegion();
            running++;
            Waiting.Dequeue().Release();
        }
    }

    private static bool IsDue() => GC.GetTotalAllocatedBytes() - allocatedAtStart > Turn;

    private static void BeginRegion()
    {
        EndRegion();
        // The region begins with a full collection of its own, unless it is told that there is room. What steps leave dies young.
        if (!collected) GC.Collect(1);
        _ = GC.TryStartNoGCRegion(Budget, disallowFullBlockingGC: true) || GC.TryStartNoGCRegion(Budget);
        collected = false;
        allocatedAtStart = GC.GetTotalAllocatedBytes();
    }

    // A region that ran out of its budget has ended by itself.
    private static void EndRegion()
    {
        if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
    }

    private static void Leave()
    {
        if (--depth > 0) return;
        lock (Gate)
        {
            running--;
            Admit();
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>A step in progress.</summary>
    public readonly ref struct Pass
    {
        /// <summary>Ends the step.</summary>
        public void Dispose() => Leave();
    }
}
