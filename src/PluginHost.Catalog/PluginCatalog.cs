using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog.Health;
using PluginHost.Catalog.Inspection;
using PluginHost.Catalog.Loading;
using PluginHost.Catalog.Unloading;
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
    private static readonly Dictionary<string, string> NoContracts = [];
    private readonly PinnedContexts pins = new();
    private readonly ContractHomes contracts = new();
    private readonly Dictionary<string, PluginSlot> slots = [];

    private readonly QuarantineOptions quarantine;
    private readonly IReadOnlyDictionary<string, IsolationLimits> isolation;
    private readonly CatalogMeter meter;

    private PluginCatalog(ILoggerFactory loggers, QuarantineOptions quarantine, IReadOnlyDictionary<string, IsolationLimits> isolation)
    {
        this.isolation = isolation;
        events = new PluginEvents(loggers.CreateLogger("PluginHost.Catalog"));
        this.quarantine = quarantine;
        meter = new CatalogMeter(this);
    }

    /// <summary>Plugins by id.</summary>
    public IReadOnlyList<PluginDescription> Plugins { get; private set; } = [];

    /// <summary>What was found and cannot be used.</summary>
    public IReadOnlyList<PluginFault> Faults { get; private set; } = [];

    /// <summary>Plugins that were unloaded and are in memory still, with what keeps them there.</summary>
    public IReadOnlyList<PinnedPlugin> Pinned => pins.Now();

    /// <summary>What each plugin has done so far, by id.</summary>
    public IReadOnlyList<PluginTelemetry> Telemetry =>
        [.. slots.Values.Select(slot => slot.Health.Read()).OrderBy(item => item.Id, StringComparer.Ordinal)];

    /// <summary>The life of the plugins; a new observer first gets what has happened so far.</summary>
    public IObservable<PluginEvent> Events => events;

    /// <summary>Inspects every sub-folder of the folders by metadata alone. Faults are listed, never thrown.</summary>
    /// <param name="folders">The plugin folders.</param>
    /// <param name="loggers">For the catalog's events.</param>
    /// <param name="quarantine">When plugins that fail are taken out.</param>
    /// <param name="isolation">The plugins that run in a process of their own, by id.</param>
    /// <exception cref="UserErrorException">A plugin that is to be isolated is not installed: under another name it would run in the host.</exception>
    public static PluginCatalog Discover(
        IReadOnlyList<string> folders, ILoggerFactory? loggers = null, QuarantineOptions? quarantine = null, IReadOnlyDictionary<string, IsolationLimits>? isolation = null)
    {
        var catalog = new PluginCatalog(loggers ?? NullLoggerFactory.Instance, quarantine ?? new QuarantineOptions(), isolation ?? new Dictionary<string, IsolationLimits>());
        var faults = new List<PluginFault>();
        var inspected = new Dictionary<string, FolderContent>();
        foreach (var folder in folders.Select(Path.GetFullPath).Distinct()) catalog.Inspect(folder, inspected, faults);
        catalog.Settle(inspected, faults);
        if (catalog.isolation.Keys.FirstOrDefault(id => catalog.Find(id) is null) is { } missing)
        {
            catalog.Dispose();
            throw new UserErrorException($"the host file isolates '{missing}', which is not installed{NearestName.Suggestion(missing, catalog.slots.Keys)}");
        }
        catalog.Plugins = [.. catalog.slots.Values.Select(slot => slot.Description).OrderBy(plugin => plugin.Id, StringComparer.Ordinal)];
        catalog.Faults = faults;
        foreach (var fault in faults) catalog.events.Publish(PluginEventKind.Faulted, fault.Folder, null, fault.Message);
        return catalog;
    }

    public PluginDescription? Find(string id) => slots.TryGetValue(id, out var slot) ? slot.Description : null;

    /// <summary>Takes a lease on a plugin; the first one loads it.</summary>
    /// <param name="id">Plugin id.</param>
    /// <param name="settings">Settings as <see cref="SettingsValidator"/> returns them; what is missing has its default.</param>
    /// <exception cref="UserErrorException">There is no such plugin, or it is being unloaded.</exception>
    /// <exception cref="PluginFailedException">It cannot be loaded, or its constructor threw.</exception>
    /// <exception cref="PluginQuarantinedException">It failed too often.</exception>
    public PluginLease Lease(string id, IReadOnlyDictionary<string, object?> settings)
    {
        var slot = Slot(id);
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

    /// <summary>Takes a plugin out by command, until <see cref="Restore"/>.</summary>
    /// <param name="id">Plugin id.</param>
    /// <param name="reason">Why, for a person to read.</param>
    public void Quarantine(string id, string reason) => Slot(id).Health.Quarantine(reason);

    /// <summary>Takes a plugin back out of quarantine, whatever the back-off.</summary>
    public void Restore(string id) => Slot(id).Health.Restore("by command");

    /// <summary>Refuses new leases, waits for the old ones, unloads the plugin, and checks that it is gone.</summary>
    /// <param name="id">Plugin id.</param>
    /// <param name="drainTimeout">How long to wait for leases; after that the plugin goes on serving.</param>
    public async Task<UnloadVerdict> UnloadAsync(string id, TimeSpan drainTimeout)
    {
        var slot = Slot(id);
        foreach (var dependant in slots.Values.Where(other => other != slot && other.DependsOn(slot)).Select(other => other.Description.Id).ToArray())
        {
            var first = await UnloadAsync(dependant, drainTimeout).ConfigureAwait(false);
            if (first.Outcome == UnloadOutcome.Pinned) return Verdict(slot, UnloadOutcome.Pinned, $"{dependant} uses its contract and has to be unloaded first: {first.Detail}");
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
            slot.Reopen();
        }
    }

    /// <summary>Unloads all plugins without waiting and ends the event stream.</summary>
    public void Dispose()
    {
        foreach (var slot in slots.Values) slot.Dispose();
        meter.Dispose();
        events.Complete();
    }

    private void Inspect(string folder, Dictionary<string, FolderContent> inspected, List<PluginFault> faults)
    {
        if (!Directory.Exists(folder))
        {
            faults.Add(new PluginFault(folder, "this plugin folder does not exist; the host file names it under 'plugins'"));
            return;
        }
        foreach (var sub in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            events.Publish(PluginEventKind.Discovered, sub, null, "found");
            inspected[sub] = FolderInspection.Inspect(sub, NoContracts);
        }
    }

    // A plugin may refer to a contract that another package brings, whichever was found first.
    private void Settle(Dictionary<string, FolderContent> inspected, List<PluginFault> faults)
    {
        var known = new Dictionary<string, string>();
        while (inspected.Values.SelectMany(content => content.Contracts).Count(contract => known.TryAdd(contract.Key, contract.Value)) > 0)
            foreach (var folder in inspected.Where(item => item.Value.Faults.Count > 0).Select(item => item.Key).ToArray())
                inspected[folder] = FolderInspection.Inspect(folder, known);
        foreach (var (name, path) in known) contracts.Add(name, Path.GetDirectoryName(path)!);
        foreach (var content in inspected.Values)
        {
            faults.AddRange(content.Faults);
            foreach (var plugin in content.Plugins) Add(plugin, faults);
        }
    }

    private void Add(PluginDescription plugin, List<PluginFault> faults)
    {
        plugin = plugin with { Isolation = isolation.GetValueOrDefault(plugin.Id) };
        if (slots.TryAdd(plugin.Id, new PluginSlot(plugin, events, new PluginHealth(plugin, quarantine, events), contracts)))
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
