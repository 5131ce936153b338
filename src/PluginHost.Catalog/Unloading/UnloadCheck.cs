using System.Diagnostics;

namespace PluginHost.Catalog.Unloading;

/// <summary>Finds out whether an unloaded context is really gone.</summary>
internal static class UnloadCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Collects (in the background, so that requests are not held up) until the context is gone or patience ends.</summary>
    public static async Task<bool> IsCollectedAsync(UnloadedContext context)
    {
        for (var started = Stopwatch.GetTimestamp(); context.IsAlive && Stopwatch.GetElapsedTime(started) < Patience;)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
            GC.WaitForPendingFinalizers();
            await Task.Delay(10).ConfigureAwait(false);
        }
        return !context.IsAlive;
    }
}
