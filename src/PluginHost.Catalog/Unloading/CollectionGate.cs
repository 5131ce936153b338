namespace PluginHost.Catalog.Unloading;

/// <summary>
/// Keeps the collections that an unload asks for apart from code that must not see one: a step of training or generation, during
/// which TorchSharp's finalizers would free scalars that libtorch is about to read. Steps run side by side; a collection
/// waits for those under way, and the next ones wait for it.
/// </summary>
public static class CollectionGate
{
    private static readonly TimeSpan LongestStep = TimeSpan.FromMinutes(1);
    private static readonly ReaderWriterLockSlim Gate = new(LockRecursionPolicy.SupportsRecursion);

    /// <summary>Begins a step on this thread.</summary>
    public static void EnterStep() => Gate.EnterReadLock();

    /// <summary>Ends the step.</summary>
    public static void ExitStep() => Gate.ExitReadLock();

    /// <summary>Runs a collection between steps; not at all when a step takes longer than a minute.</summary>
    internal static void Collect(Action collection)
    {
        if (!Gate.TryEnterWriteLock(LongestStep)) return;
        try
        {
            collection();
        }
        finally
        {
            Gate.ExitWriteLock();
        }
    }
}
