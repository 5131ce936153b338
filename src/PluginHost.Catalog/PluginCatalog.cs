using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog.Inspection;
using PluginHost.Catalog.Install;
using PluginHost.Catalog.Loading;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog;

/// <summary>How an unload ended.</summary>
public enum UnloadOutcome { Unloaded, Pinned }

/// <summary>The result of an unload, checked and not assumed.</summary>
/// <param name="Id">The plugin.</param>
/// <param name="Outcome">Whether its code is gone from memory.</param>
/// <param name="Detail">For a person to read.</param>
public sealed record UnloadVerdict(string Id, UnloadOutcome Outcome, string Detail);

/// <summary>The installed plugins. A value without global state: several catalogs may live beside each other. Thread-safe.</summary>
public sealed class PluginCatalog : IDisposable
{
    private readonly PluginEvents events;
    private readonly Dictionary<string, PluginSlot> slots = [];

    private PluginCatalog(ILoggerFactory loggers) => events = new PluginEvents(loggers.CreateLogger("PluginHost.Catalog"));

    /// <summary>Plugins by id.</summary>
    public IReadOnlyList<PluginDescription> Plugins { get; private set; } = [];

    /// <summary>The active packages of the store, whether their plugins can be used or not.</summary>
    public IReadOnlyList<InstalledPackage> Packages { get; private set; } = [];

    /// <summary>What was found and cannot be used.</summary>
    public IReadOnlyList<PluginFault> Faults { get; private set; } = [];

    /// <summary>The life of the plugins; a new observer first gets what has happened so far.</summary>
    public IObservable<PluginEvent> Events => events;

    /// <summary>Inspects the host file's plugin folders and the active packages of its store.</summary>
    /// <inheritdoc cref="Discover(IReadOnlyList{string}, IReadOnlyList{InstalledPackage}, ILoggerFactory?)"/>
    public static PluginCatalog Discover(HostConfig host, ILoggerFactory? loggers = null)
    {
        var store = new PluginStore(host.Install.Store);
        try
        {
            return Discover(host.PluginFolders, store.Active(), loggers);
        }
        catch (ConfigException damaged)
        {
            return Discover(host.PluginFolders, [], loggers, new PluginFault(store.Folder, $"none of its packages can be used: {damaged.Message}"));
        }
    }

    /// <summary>Inspects every sub-folder of the folders, and the folders of packages, by metadata alone. Faults are listed, never thrown.</summary>
    public static PluginCatalog Discover(IReadOnlyList<string> folders, IReadOnlyList<InstalledPackage> packages, ILoggerFactory? loggers = null) =>
        Discover(folders, packages, loggers, []);

    /// <inheritdoc cref="Discover(IReadOnlyList{string}, IReadOnlyList{InstalledPackage}, ILoggerFactory?)"/>
    public static PluginCatalog Discover(IReadOnlyList<string> folders, ILoggerFactory? loggers = null) => Discover(folders, [], loggers, []);

    private static PluginCatalog Discover(IReadOnlyList<string> folders, IReadOnlyList<InstalledPackage> packages, ILoggerFactory? loggers, params PluginFault[] known)
    {
        var catalog = new PluginCatalog(loggers ?? NullLoggerFactory.Instance);
        var faults = new List<PluginFault>(known);
        var places = folders.Select(Path.GetFullPath).Distinct().SelectMany(folder => Places(folder, faults)).ToList();
        places.AddRange(packages.Select(item => (item.Folder, (LockedPackage?)item.Package)));
        foreach (var (folder, _) in places) catalog.events.Publish(PluginEventKind.Discovered, folder, null, "found");
        foreach (var content in places.AsParallel().AsOrdered().Select(place => FolderInspection.Inspect(place.Folder, place.Package)))
        {
            faults.AddRange(content.Faults);
            foreach (var plugin in content.Plugins) catalog.Add(plugin, faults);
        }
        catalog.Plugins = [.. catalog.slots.Values.Select(slot => slot.Description).OrderBy(plugin => plugin.Id, StringComparer.Ordinal)];
        catalog.Faults = faults;
        catalog.Packages = packages;
        foreach (var fault in faults) catalog.events.Publish(PluginEventKind.Faulted, fault.Folder, null, fault.Message);
        return catalog;
    }

    public PluginDescription? Find(string id) => slots.TryGetValue(id, out var slot) ? slot.Description : null;

    /// <summary>Takes a lease on a plugin; the first one loads it.</summary>
    /// <param name="id">Plugin id.</param>
    /// <param name="settings">Settings as <see cref="SettingsValidator"/> returns them; what is missing has its default.</param>
    /// <exception cref="UserErrorException">There is no such plugin, or it is being unloaded.</exception>
    /// <exception cref="PluginFailedException">It cannot be loaded, or its constructor threw.</exception>
    public PluginLease Lease(string id, IReadOnlyDictionary<string, object?> settings)
    {
        var slot = Slot(id);
        try
        {
            return slot.Lease(settings);
        }
        catch (PluginFailedException failure)
        {
            events.Publish(PluginEventKind.Faulted, id, slot.Description.Version, failure.Message);
            throw;
        }
    }

    /// <summary>Refuses new leases, waits for the old ones, unloads the plugin, and checks that it is gone.</summary>
    /// <param name="id">Plugin id.</param>
    /// <param name="drainTimeout">How long to wait for leases; after that the plugin goes on serving.</param>
    public async Task<UnloadVerdict> UnloadAsync(string id, TimeSpan drainTimeout)
    {
        var slot = Slot(id);
        if (!await slot.DrainAsync(drainTimeout).ConfigureAwait(false))
            return Verdict(slot, UnloadOutcome.Pinned, $"{slot.Leases} leases are held after {drainTimeout.TotalSeconds:0.#} s; it goes on serving");
        try
        {
            var watch = slot.Unload();
            if (watch is null) return Verdict(slot, UnloadOutcome.Unloaded, "it was not loaded");
            return await UnloadCheck.IsCollectedAsync(watch).ConfigureAwait(false)
                ? Verdict(slot, UnloadOutcome.Unloaded, "its load context has been collected")
                : Verdict(slot, UnloadOutcome.Pinned, "something still refers to its code");
        }
        finally
        {
            slot.Reopen();
        }
    }

    /// <summary>Unloads all plugins without waiting and ends the event stream.</summary>
    public void Dispose()
    {
        foreach (var slot in slots.Values) slot.Dispose();
        events.Complete();
    }

    private static IEnumerable<(string Folder, LockedPackage? Package)> Places(string folder, List<PluginFault> faults)
    {
        if (Directory.Exists(folder)) return Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).Select(sub => (sub, (LockedPackage?)null));
        faults.Add(new PluginFault(folder, "this plugin folder does not exist; the host file names it under 'plugins'"));
        return [];
    }

    private void Add(PluginDescription plugin, List<PluginFault> faults)
    {
        if (slots.TryAdd(plugin.Id, new PluginSlot(plugin, events)))
            events.Publish(PluginEventKind.Inspected, plugin.Id, plugin.Version, plugin.Summary);
        else
            faults.Add(new PluginFault(plugin.Folder, $"the id {plugin.Id} is already taken by {slots[plugin.Id].Description.Folder}; remove one of them"));
    }

    private PluginSlot Slot(string id) => slots.TryGetValue(id, out var slot)
        ? slot
        : throw new UserErrorException($"no plugin '{id}' is installed{NearestName.Suggestion(id, slots.Keys)}");

    private UnloadVerdict Verdict(PluginSlot slot, UnloadOutcome outcome, string detail)
    {
        var kind = outcome == UnloadOutcome.Unloaded ? PluginEventKind.Unloaded : PluginEventKind.Pinned;
        events.Publish(kind, slot.Description.Id, slot.Description.Version, detail);
        return new UnloadVerdict(slot.Description.Id, outcome, detail);
    }
}
