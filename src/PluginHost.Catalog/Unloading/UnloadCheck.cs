namespace PluginHost.Catalog.Unloading;

/// <summary>Finds out whether an unloaded context is really gone.</summary>
internal static class UnloadCheck
{
    private const int Rounds = 100;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly Lock Finalizing = new();
    private static Task finalizers = Task.CompletedTask;

    /// <summary>Collects until the context is gone or patience ends. Two collections do when nothing refers to it: the first runs the finalizer that frees it.</summary>
    public static async Task<bool> IsCollectedAsync(UnloadedContext context)
    {
        for (var round = 0; context.IsAlive && round < Rounds; round++)
        {
            // Rests, so that who is being served waits for one collection at a time.
            if (round > 0) await Task.Delay(Rest).ConfigureAwait(false);
            await Task.Run(CollectAsync).ConfigureAwait(false);
        }
        return !context.IsAlive;
    }

    private static async Task CollectAsync()
    {
        StepGate.Collect();
        // Finalizers are strangers' code: one that hangs must not hang the host.
        lock (Finalizing) if (finalizers.IsCompleted) finalizers = Task.Run(GC.WaitForPendingFinalizers);
        await Task.WhenAny(finalizers, Task.Delay(Patience)).ConfigureAwait(false);
    }
}
