using System.Runtime;
using PluginHost.Catalog.Unloading;

namespace PluginHost.Runs;

/// <summary>
/// Keeps the garbage collector still for the length of a step. TorchSharp turns a number into a native scalar object and hands only
/// its handle on: a collection in the middle of the call (another thread need only allocate) lets the finalizer free the scalar
/// under libtorch's eyes, and the step fails at random. Between steps nothing is in use and collecting is safe. Where
/// more is allocated than was set aside, a collection happens after all and nothing else changes.
/// </summary>
internal readonly ref struct CollectionPause
{
    /// <summary>Set aside for a step: the batches made ahead by the data thread are most of it.</summary>
    private const long Budget = 64L << 20;

    private readonly bool started;

    public CollectionPause()
    {
        CollectionGate.EnterStep();
        started = GCSettings.LatencyMode != GCLatencyMode.NoGCRegion && GC.TryStartNoGCRegion(Budget);
    }

    public void Dispose()
    {
        if (started && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
        CollectionGate.ExitStep();
    }
}
