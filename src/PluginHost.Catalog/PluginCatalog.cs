using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog.Health;
using PluginHost.Catalog.Inspection;
using PluginHost.Catalog.Install;
using PluginHost.Catalog.Loading;
using PluginHost.Catalog.Unloading;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog;

/// <summary>
/// The installed plugins. A value without global state: several catalogs may live beside each other. Thread-safe. A plugin may
/// stand in several versions: one serves its id, others are staged to take over or are being retired.
/// </summary>
public sealed class PluginCatalog : IDisposable
{
    private readonly Lock gate = new();
    private readonly PluginEvents events;
    private readonly PluginCopies copies = new();
    private readonly PinnedContexts pins = new();
    private readonly ContractHomes contracts = new();
    private readonly Dictionary<string, string> knownContracts = [];
    private readonly Dictionary<PluginDescription, PluginSlot> slots = new(ReferenceEqualityComparer.Instance);
    private readonly IReadOnlyDictionary<string, IsolationLimits> isolation;
    private readonly CatalogMeter meter;
    private readonly TimeProvider clock;
    private volatile QuarantineOptions quarantine;

    private PluginCatalog(ILoggerFactory loggers, QuarantineOptions quarantine, IReadOnlyDictionary<string, IsolationLimits> isolation, TimeProvider clock)
    {
        this.isolation = isolation;
        events = new PluginEvents(loggers.CreateLogger("PluginHost.Catalog"));
        this.quarantine = quarantine;
        this.clock = clock;
        meter = new CatalogMeter(this);
    }

    /// <summary>The versions that serve now.</summary>
    public PluginSet Installed { get; private set; } = new([], []);

    /// <summary>Plugins that were unloaded and are in memory still, with what keeps them there.</summary>
    public IReadOnlyList<PinnedPlugin> Pinned => pins.Now();

    /// <summary>What each plugin has done so far, by id.</summary>
    public IReadOnlyList<PluginTelemetry> Telemetry
    {
        get { lock (gate) return [.. slots.Values.Select(slot => slot.Health.Read()).OrderBy(item => item.Id, StringComparer.Ordinal)]; }
    }

    /// <summary>The active packages of the store, whether their plugins can be used or not.</summary>
    public IReadOnlyList<InstalledPackage> Packages { get; private set; } = [];

    /// <summary>The life of the plugins; a new observer first gets what has happened so far.</summary>
    public IObservable<PluginEvent> Events => events;

    /// <summary>Inspects the host file's plugin folders and the active packages of its store by metadata alone. Faults are listed, never thrown.</summary>
    /// <exception cref="UserErrorException">A plugin that is to be isolated is not installed: under another name it would run in the host.</exception>
    public static PluginCatalog Discover(HostConfig host, ILoggerFactory? loggers = null)
    {
        var store = new PluginStore(host.Install.Store);
        try
        {
            return Discover(host.PluginFolders, store.Active(), loggers, host.Quarantine, host.Isolation, null);
        }
        catch (ConfigException damaged)
        {
            return Discover(host.PluginFolders, [], loggers, host.Quarantine, host.Isolation, null, new PluginFault(store.Folder, $"none of its packages can be used: {damaged.Message}"));
        }
    }

    /// <summary>Inspects every sub-folder of the folders, and the folders of packages.</summary>
    public static PluginCatalog Discover(IReadOnlyList<string> folders, IReadOnlyList<InstalledPackage> packages) => Discover(folders, packages, null, null, null, null);

    /// <summary>Inspects every sub-folder of the folders.</summary>
    /// <param name="folders">The plugin folders.</param>
    /// <param name="loggers">For the catalog's events.</param>
    /// <param name="quarantine">When plugins that fail are taken out.</param>
    /// <param name="isolation">The plugins that run in a process of their own, by id.</param>
    /// <param name="clock">By which failures are near one another and back-offs end.</param>
    public static PluginCatalog Discover(
        IReadOnlyList<string> folders, ILoggerFactory? loggers = null, QuarantineOptions? quarantine = null, IReadOnlyDictionary<string, IsolationLimits>? isolation = null, TimeProvider? clock = null) =>
        Discover(folders, [], loggers, quarantine, isolation, clock);

    private static PluginCatalog Discover(
        IReadOnlyList<string> folders, IReadOnlyList<InstalledPackage> packages, ILoggerFactory? loggers, QuarantineOptions? quarantine,
        IReadOnlyDictionary<string, IsolationLimits>? isolation, TimeProvider? clock, params PluginFault[] known)
    {
        var catalog = new PluginCatalog(loggers ?? NullLoggerFactory.Instance, quarantine ?? new QuarantineOptions(), isolation ?? new Dictionary<string, IsolationLimits>(), clock ?? TimeProvider.System);
        var faults = new List<PluginFault>(known);
        var places = folders.Select(Path.GetFullPath).Distinct().SelectMany(folder => Places(folder, faults)).ToList();
        places.AddRange(packages.Select(item => (item.Folder, (LockedPackage?)item.Package)));
        foreach (var (folder, _) in places) catalog.events.Publish(PluginEventKind.Discovered, folder, null, "found");
        foreach (var content in catalog.Inspect(places))
        {
            faults.AddRange(content.Faults);
            foreach (var plugin in content.Plugins) catalog.Add(plugin, faults);
        }
        catalog.Packages = packages;
        foreach (var fault in faults) catalog.events.Publish(PluginEventKind.Faulted, fault.Folder, null, fault.Message);
        catalog.Installed = new PluginSet(catalog.slots.Keys, faults);
        if (catalog.isolation.Keys.FirstOrDefault(id => catalog.Find(id) is null) is not { } missing) return catalog;
        catalog.Dispose();
        throw new UserErrorException($"the host file isolates '{missing}', which is not installed{NearestName.Suggestion(missing, catalog.Installed.All.Select(plugin => plugin.Id))}");
    }

    /// <summary>The serving version of a plugin, or null.</summary>
    public PluginDescription? Find(string id) => Installed.Find(id);

    /// <summary>Takes a lease on a version of a plugin; the first one loads it.</summary>
    /// <param name="plugin">A version from <see cref="Installed"/> or <see cref="Stage"/>.</param>
    /// <param name="settings">Settings as <see cref="SettingsValidator"/> returns them; what is missing has its default.</param>
    /// <exception cref="UserErrorException">The version has been retired or is being unloaded.</exception>
    /// <exception cref="PluginFailedException">It cannot be loaded, or its constructor threw.</exception>
    /// <exception cref="PluginQuarantinedException">It failed too often.</exception>
    public PluginLease Lease(PluginDescription plugin, IReadOnlyDictionary<string, object?> settings)
    {
        var slot = Slot(plugin);
        slot.Health.Admit();
        try
        {
            return slot.Lease(settings);
        }
        catch (PluginFailedException failure)
        {
            slot.Health.Fail(failure.Message);
            throw;
        }
    }

    /// <summary>Takes a lease on the version that serves an id now.</summary>
    /// <exception cref="UserErrorException">There is no such plugin, or it is being unloaded.</exception>
    /// <exception cref="PluginFailedException">It cannot be loaded, or its constructor threw.</exception>
    public PluginLease Lease(string id, IReadOnlyDictionary<string, object?> settings) => Lease(Serving(id), settings);

    /// <summary>Takes in the plugins of further folders; those that are installed already stay as they are.</summary>
    /// <param name="folders">Plugin folders.</param>
    /// <returns>What is new.</returns>
    /// <exception cref="UserErrorException">A plugin of theirs cannot be used; none is taken in.</exception>
    public IReadOnlyList<PluginDescription> Join(IReadOnlyList<string> folders)
    {
        var faults = new List<PluginFault>();
        var known = Installed.All.Select(plugin => plugin.Origin).ToHashSet();
        var places = folders.SelectMany(folder => Places(folder, faults)).Select(place => Path.GetFullPath(place.Item1)).Where(place => !known.Contains(place)).ToList();
        if (faults.Count > 0) throw new UserErrorException(string.Join(Environment.NewLine, faults.Select(fault => $"{fault.Folder}: {fault.Message}")));
        List<PluginDescription> staged = [];
        try
        {
            foreach (var place in places)
            {
                staged.AddRange(Stage(place));
                if (staged.FirstOrDefault(plugin => Installed.Find(plugin.Id) is not null || staged.Count(other => other.Id == plugin.Id) > 1) is { } taken)
                    throw new UserErrorException($"{taken.Origin}: the id {taken.Id} is already taken{(Installed.Find(taken.Id) is { } by ? $" by {by.Origin}" : "")}; remove one of them");
            }
        }
        catch
        {
            foreach (var plugin in staged) Forget(plugin);
            throw;
        }
        Activate(staged);
        return staged;
    }

    /// <summary>Counts failures by other rules from now on; what is in quarantine stays there.</summary>
    public void Apply(QuarantineOptions options) => quarantine = options;

    /// <summary>Takes a plugin out by command, until <see cref="Restore"/>.</summary>
    /// <param name="id">Plugin id.</param>
    /// <param name="reason">Why, for a person to read.</param>
    public void Quarantine(string id, string reason) => Slot(Serving(id)).Health.Quarantine(reason);

    /// <summary>Takes a plugin back out of quarantine, whatever the back-off.</summary>
    public void Restore(string id) => Slot(Serving(id)).Health.Restore("by command");

    /// <summary>
    /// Takes a copy of a folder, inspects it and puts its plugins beside those that serve; nobody gets them until <see cref="Activate"/>.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="package">The installed package whose files these are; null for any other folder.</param>
    /// <exception cref="UserErrorException">The folder is not at rest or holds no usable plugin; says why.</exception>
    public IReadOnlyList<PluginDescription> Stage(string folder, LockedPackage? package = null)
    {
        var origin = Path.GetFullPath(folder);
        var copy = copies.Take(origin);
        var content = FolderInspection.Inspect(copy, package, knownContracts);
        if (content.Faults.Count > 0)
        {
            copies.Release(copy);
            throw new UserErrorException(string.Join(Environment.NewLine, content.Faults.Select(fault => $"{origin}: {fault.Message}")));
        }
        if (content.Contracts.Count > 0)
        {
            copies.Release(copy);
            throw new UserErrorException($"{origin} brings the contract {content.Contracts.Keys.First()}, by which other plugins are loaded; replace it while no host runs");
        }
        PluginDescription[] staged = [.. content.Plugins.Select(plugin => plugin with { Origin = origin, Isolation = isolation.GetValueOrDefault(plugin.Id) })];
        lock (gate)
            foreach (var plugin in staged) slots.Add(plugin, NewSlot(plugin));
        foreach (var plugin in staged) events.Publish(PluginEventKind.Staged, plugin.Id, plugin.Version, $"from {origin}");
        return staged;
    }

    /// <summary>Makes staged versions serve their ids. Leases on the former versions stay good until they are retired.</summary>
    /// <returns>The versions that no longer serve.</returns>
    public IReadOnlyList<PluginDescription> Activate(IReadOnlyList<PluginDescription> staged)
    {
        List<PluginDescription> former;
        lock (gate)
        {
            former = [.. staged.Select(plugin => Installed.Find(plugin.Id)).OfType<PluginDescription>()];
            Installed = Installed.With([.. staged]);
        }
        foreach (var plugin in staged)
            events.Publish(PluginEventKind.Swapped, plugin.Id, plugin.Version, $"serves in place of {former.FirstOrDefault(old => old.Id == plugin.Id)?.Version ?? "none"}");
        return former;
    }

    /// <summary>Notes that a staged version was not taken, and why.</summary>
    public void Refuse(PluginDescription plugin, string reason) => events.Publish(PluginEventKind.Refused, plugin.Id, plugin.Version, reason);

    /// <summary>Refuses new leases on a version, waits for the old ones, unloads it and checks that it is gone. A version that does not serve is forgotten.</summary>
    /// <param name="plugin">The version.</param>
    /// <param name="drainTimeout">How long to wait for leases; after that the version goes on.</param>
    public async Task<UnloadVerdict> UnloadAsync(PluginDescription plugin, TimeSpan drainTimeout)
    {
        var slot = Slot(plugin);
        foreach (var dependant in Dependants(slot))
        {
            var first = await UnloadAsync(dependant, drainTimeout).ConfigureAwait(false);
            if (first.Outcome == UnloadOutcome.Pinned) return Verdict(slot, UnloadOutcome.Pinned, $"{dependant.Id} uses its contract and has to be unloaded first: {first.Detail}");
        }
        if (!await slot.DrainAsync(drainTimeout).ConfigureAwait(false))
            return Verdict(slot, UnloadOutcome.Pinned, $"{slot.Leases} leases are held after {drainTimeout.TotalSeconds:0.#} s; it goes on serving");
        try
        {
            var unloaded = slot.Unload();
            if (unloaded is null) return Verdict(slot, UnloadOutcome.Unloaded, "it was not loaded");
            return await pins.CheckAsync(slot.Description, unloaded).ConfigureAwait(false) is { } path
                ? Verdict(slot, UnloadOutcome.Pinned, $"pinned by {path}")
                : Verdict(slot, UnloadOutcome.Unloaded, "its load context has been collected");
        }
        finally
        {
            Forget(plugin);
            slot.Reopen();
        }
    }

    /// <summary>Unloads the version that serves an id now; the next lease loads it again.</summary>
    public Task<UnloadVerdict> UnloadAsync(string id, TimeSpan drainTimeout) => UnloadAsync(Serving(id), drainTimeout);

    /// <summary>Unloads all plugins without waiting and ends the event stream.</summary>
    public void Dispose()
    {
        lock (gate)
            foreach (var slot in slots.Values) slot.Dispose();
        copies.Dispose();
        meter.Dispose();
        events.Complete();
    }

    // A plugin may refer to a contract that another package brings, whichever was found first.
    private FolderContent[] Inspect(IReadOnlyList<(string Folder, LockedPackage? Package)> places)
    {
        FolderContent[] contents = [.. places.AsParallel().AsOrdered().Select(place => FolderInspection.Inspect(place.Folder, place.Package, knownContracts))];
        while (contents.SelectMany(content => content.Contracts, (content, contract) => (content.Main, contract)).Count(item => Know(item.Main, item.contract)) > 0)
            for (var i = 0; i < contents.Length; i++)
                if (contents[i].Faults.Count > 0) contents[i] = FolderInspection.Inspect(places[i].Folder, places[i].Package, knownContracts);
        return contents;
    }

    private bool Know(string main, KeyValuePair<string, string> contract)
    {
        if (!knownContracts.TryAdd(contract.Key, contract.Value)) return false;
        contracts.Add(contract.Key, main);
        return true;
    }

    private static IEnumerable<(string Folder, LockedPackage? Package)> Places(string folder, List<PluginFault> faults)
    {
        if (Directory.Exists(folder)) return Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).Select(sub => (sub, (LockedPackage?)null));
        faults.Add(new PluginFault(folder, "this plugin folder does not exist; the host file names it under 'plugins'"));
        return [];
    }

    private void Add(PluginDescription plugin, List<PluginFault> faults)
    {
        plugin = plugin with { Isolation = isolation.GetValueOrDefault(plugin.Id) };
        if (slots.Keys.FirstOrDefault(other => other.Id == plugin.Id) is { } taken)
        {
            faults.Add(new PluginFault(plugin.Folder, $"the id {plugin.Id} is already taken by {taken.Folder}; remove one of them"));
            return;
        }
        slots.Add(plugin, NewSlot(plugin));
        events.Publish(PluginEventKind.Inspected, plugin.Id, plugin.Version, plugin.Summary);
    }

    // A version that does not serve cannot come back; the last plugin of a copied folder takes the copy with it.
    private void Forget(PluginDescription plugin)
    {
        bool last;
        lock (gate)
        {
            if (ReferenceEquals(Installed.Find(plugin.Id), plugin)) return;
            slots.Remove(plugin);
            last = slots.Keys.All(other => other.Folder != plugin.Folder);
        }
        if (last) copies.Release(plugin.Folder);
    }

    private PluginDescription[] Dependants(PluginSlot slot)
    {
        lock (gate) return [.. slots.Values.Where(other => other != slot && other.DependsOn(slot)).Select(other => other.Description)];
    }

    private PluginSlot NewSlot(PluginDescription plugin) => new(plugin, events, new PluginHealth(plugin, () => quarantine, events, clock), contracts);

    private PluginDescription Serving(string id) => Installed.Find(id)
        ?? throw new UserErrorException($"no plugin '{id}' is installed{NearestName.Suggestion(id, Installed.All.Select(plugin => plugin.Id))}");

    private PluginSlot Slot(PluginDescription plugin)
    {
        lock (gate)
            return slots.TryGetValue(plugin, out var slot) ? slot : throw new UserErrorException($"{plugin.Id} {plugin.Version} has been retired; ask for the version that serves now");
    }

    private UnloadVerdict Verdict(PluginSlot slot, UnloadOutcome outcome, string detail)
    {
        var kind = outcome == UnloadOutcome.Unloaded ? PluginEventKind.Unloaded : PluginEventKind.Pinned;
        events.Publish(kind, slot.Description.Id, slot.Description.Version, detail);
        return new UnloadVerdict(slot.Description.Id, outcome, detail);
    }
}
