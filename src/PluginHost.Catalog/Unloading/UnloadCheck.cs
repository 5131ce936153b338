using System.Diagnostics;

namespace PluginHost.Catalog.Unloading;

/// <summary>Finds out whether an unloaded context is really gone.</summary>
internal static class UnloadCheck
{
    /// <summary>Up to this size of the managed heap a blocking collection is over in a few milliseconds; a larger one is collected in the background.</summary>
    private const long SmallHeap = 64L << 20;

    private const int Rounds = 50;
    private const int Polite = 20;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly Lock Finalizing = new();
    private static Task finalizers = Task.CompletedTask;

    /// <summary>Collects until the context is gone or patience ends. Two collections do when nothing refers to it: the first runs the finalizer that frees it.</summary>
    public static async Task<bool> IsCollectedAsync(UnloadedContext context)
    {
        for (var round = 0; context.IsAlive && round < Rounds; round++)
        {
            if (round > 2) await Task.Delay(Rest).ConfigureAwait(false);
            var insist = round >= Polite;
            await Task.Run(() => CollectAsync(insist)).ConfigureAwait(false);
        }
        return !context.IsAlive;
    }

    private static async Task CollectAsync(bool insist)
    {
        CollectionGate.Collect(() =>
        {
            var before = Done();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: GC.GetTotalMemory(false) < SmallHeap);
            for (var started = Stopwatch.GetTimestamp(); Done() == before && Stopwatch.GetElapsedTime(started) < Patience;) Thread.Sleep(1);
        }, insist);
        // Finalizers are strangers' code: one that hangs must not hang the host.
        lock (Finalizing) if (finalizers.IsCompleted) finalizers = Task.Run(GC.WaitForPendingFinalizers);
        await Task.WhenAny(finalizers, Task.Delay(Patience)).ConfigureAwait(false);
    }

    // Full collections that have ended, those in the background too.
    private static long Done() => GC.GetGCMemoryInfo(GCKind.FullBlocking).Index + GC.GetGCMemoryInfo(GCKind.Background).Index;
}
