namespace PluginHost.Catalog.Unloading;

/// <summary>The contexts that were unloaded and not collected. One that is let go later leaves the list by itself.</summary>
internal sealed class PinnedContexts
{
    private readonly Lock gate = new();
    private readonly List<(PinnedPlugin Plugin, UnloadedContext Context)> pinned = [];

    /// <summary>Those that are pinned now.</summary>
    public IReadOnlyList<PinnedPlugin> Now()
    {
        lock (gate)
        {
            foreach (var item in pinned.Where(item => !item.Context.IsAlive)) item.Context.Dispose();
            pinned.RemoveAll(item => !item.Context.IsAlive);
            return [.. pinned.Select(item => item.Plugin)];
        }
    }

    /// <summary>Waits for a context to be collected. Takes it over.</summary>
    /// <returns>Null when it is gone, else the path from a root to it.</returns>
    public async Task<string?> CheckAsync(PluginDescription plugin, UnloadedContext context)
    {
        var path = await UnloadCheck.IsCollectedAsync(context).ConfigureAwait(false) ? null : await RootSearch.FindAsync(context).ConfigureAwait(false);
        if (path is null || !context.IsAlive)
        {
            context.Dispose();
            return null;
        }
        lock (gate) pinned.Add((new PinnedPlugin(plugin.Id, plugin.Version, DateTimeOffset.UtcNow, path), context));
        return path;
    }
}
