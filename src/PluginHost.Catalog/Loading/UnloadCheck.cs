namespace PluginHost.Catalog.Loading;

/// <summary>Finds out whether an unloaded context is really gone.</summary>
internal static class UnloadCheck
{
    private const int Rounds = 60;

    /// <summary>Collects (in the background, so that requests are not held up) until the context is gone or patience ends.</summary>
    public static async Task<bool> IsCollectedAsync(WeakReference watch)
    {
        for (var round = 0; round < Rounds && watch.IsAlive; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
            GC.WaitForPendingFinalizers();
            await Task.Delay(round < 10 ? 10 : 50).ConfigureAwait(false);
        }
        return !watch.IsAlive;
    }
}
