using System.Runtime;

namespace PluginHost.Catalog;

/// <summary>
/// Keeps steps and garbage collections apart. TorchSharp turns a number into a native scalar object and hands only its handle on: a
/// collection in the middle of the call (another thread need only allocate) lets the finalizer free the scalar under libtorch's eyes,
/// and the step fails at random. Steps of all threads pass this gate and run in a no-GC region; when its budget is half used, they meet
/// between two steps and the collector has its turn. Where one step allocates more than that, a collection happens after all and nothing
/// else changes.
/// </summary>
public static class StepGate
{
    /// <summary>Set aside for steps: the batches made ahead by the data thread are most of it.</summary>
    private const long Budget = 64L << 20;

    private static readonly object Gate = new();
    private static int running;
    private static int collecting;
    private static long allocatedAtStart;

    [ThreadStatic]
    private static int depth;

    /// <summary>Begins a step of this thread; disposing the pass ends it. A step within a step is part of it.</summary>
    public static Pass Enter()
    {
        if (depth++ > 0) return default;
        lock (Gate)
        {
            while (collecting > 0 || (running > 0 && IsHalfUsed())) Monitor.Wait(Gate);
            if (running == 0 && (GCSettings.LatencyMode != GCLatencyMode.NoGCRegion || IsHalfUsed())) BeginRegion();
            running++;
        }
        return default;
    }

    /// <summary>Collects all garbage between two steps, blocking.</summary>
    /// <exception cref="InvalidOperationException">This thread is in a step.</exception>
    public static void Collect()
    {
        if (depth > 0) throw new InvalidOperationException("A step cannot wait for itself to end.");
        lock (Gate)
        {
            collecting++;
            while (running > 0) Monitor.Wait(Gate);
            EndRegion();
            GC.Collect();
            collecting--;
            Monitor.PulseAll(Gate);
        }
    }

    private static bool IsHalfUsed() => GC.GetTotalAllocatedBytes() - allocatedAtStart > Budget / 2;

    private static void BeginRegion()
    {
        EndRegion();
        _ = GC.TryStartNoGCRegion(Budget);
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
            if (running == 0) Monitor.PulseAll(Gate);
        }
    }

    /// <summary>A step in progress.</summary>
    public readonly ref struct Pass
    {
        /// <summary>Ends the step.</summary>
        public void Dispose() => Leave();
    }
}
