using System.Runtime.CompilerServices;
using PluginHost.Catalog.Health;
using PluginHost.Catalog.Isolation;
using PluginHost.Catalog.Unloading;

namespace PluginHost.Catalog.Loading;

/// <summary>Loads a plugin when it is first leased, counts its leases, and unloads it when they are gone.</summary>
internal sealed class PluginSlot(PluginDescription description, PluginEvents events, PluginHealth health, ContractHomes contracts) : IDisposable
{
    private readonly Lock gate = new();
    private PluginContext? context;
    private int leases;
    private TaskCompletionSource? drained;

    public PluginDescription Description { get; } = description;

    public PluginHealth Health { get; } = health;

    public PluginLease Lease(IReadOnlyDictionary<string, object?> settings)
    {
        var loaded = false;
        object instance;
        lock (gate)
        {
            if (drained is not null) throw new Sdk.UserErrorException($"{Description.Id} is being unloaded; try again when that is done");
            loaded = context is null && Description.Isolation is null;
            if (context is null) VerifyFiles();
            if (loaded) context = new PluginContext(Description, Health, contracts);
            leases++;
            try
            {
                instance = context?.Create(Description, settings) ?? new IsolatedPlugin(Description, settings, events);
            }
            catch
            {
                leases--;
                throw;
            }
        }
        if (loaded) events.Publish(PluginEventKind.Loaded, Description.Id, Description.Version, $"from {Description.Folder}");
        events.Publish(PluginEventKind.Activated, Description.Id, Description.Version, Description.TypeName);
        return new PluginLease(Description, instance, Health, Release);
    }

    /// <summary>Refuses new leases and waits for the old ones.</summary>
    /// <returns>False when leases are left after the time; then the plugin goes on serving.</returns>
    public async Task<bool> DrainAsync(TimeSpan timeout)
    {
        Task waiting;
        lock (gate)
        {
            drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (leases == 0) drained.TrySetResult();
            waiting = drained.Task;
        }
        try
        {
            await waiting.WaitAsync(timeout).ConfigureAwait(false);
            events.Publish(PluginEventKind.Drained, Description.Id, Description.Version, "no lease is left");
            return true;
        }
        catch (TimeoutException)
        {
            lock (gate)
            {
                if (leases == 0) return true;
                drained = null;
                return false;
            }
        }
    }

    /// <summary>Whether its code is loaded and uses the load context of another plugin's package.</summary>
    public bool DependsOn(PluginSlot other)
    {
        lock (gate) return context?.Uses(other.Description.Folder) ?? false;
    }

    /// <summary>Number of leases now held.</summary>
    public int Leases
    {
        get { lock (gate) return leases; }
    }

    /// <summary>Unloads the drained plugin.</summary>
    /// <returns>What dies with its context, or null when it was not loaded.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public UnloadedContext? Unload()
    {
        lock (gate)
        {
            var watch = context?.Watch();
            context?.Dispose();
            context = null;
            return watch;
        }
    }

    /// <summary>Lets new leases load the plugin again.</summary>
    public void Reopen()
    {
        lock (gate) drained = null;
    }

    public void Dispose() => Unload()?.Dispose();

    // An installed package is compared with its lock each time, just before its code comes in.
    private void VerifyFiles()
    {
        try
        {
            Description.Package?.Verify(Description.Folder);
        }
        catch (Install.InstallFailedException altered)
        {
            throw new PluginFailedException(Description.Id, "being loaded", "altered files", altered.Message, null);
        }
    }

    private void Release()
    {
        lock (gate)
        {
            leases--;
            if (leases == 0) drained?.TrySetResult();
        }
    }
}
