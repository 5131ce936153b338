namespace PluginHost.Catalog.Unloading;

/// <summary>
/// Keeps the collections that an unload asks for apart from code that must not see one: a step of training or generation, during
/// which TorchSharp's finalizers would free scalars that libtorch is about to read. Steps run side by side; a collection
/// waits for those under way, and the next ones wait for it.
/// </summary>
public static class CollectionGate
{
    // New steps wait while a collection does, so it does not wait for long: it is tried again.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);
    private static readonly ReaderWriterLockSlim Gate = new(LockRecursionPolicy.SupportsRecursion);

    /// <summary>Begins a step on this thread.</summary>
    public static void EnterStep() => Gate.EnterReadLock();

    /// <summary>Ends the step.</summary>
    public static void ExitStep() => Gate.ExitReadLock();

    /// <summary>Runs a collection between steps.</summary>
    /// <param name="collection">What to run.</param>
    /// <param name="insist">Run it even if steps follow each other without a gap.</param>
    internal static void Collect(Action collection, bool insist)
    {
        var entered = Gate.TryEnterWriteLock(Patience);
        try
        {
            if (entered || insist) collection();
        }
        finally
        {
            if (entered) Gate.ExitWriteLock();
        }
    }
}
