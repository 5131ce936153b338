using PluginHost.Catalog.Health;
using PluginHost.Catalog.Isolation;
using PluginHost.Sdk;

namespace PluginHost.Catalog;

/// <summary>The right to use a plugin: it is not unloaded before the lease is disposed. The instance is the lease's own.</summary>
public sealed class PluginLease : IDisposable
{
    private object? instance;
    private Action? release;
    private long nativeBytes;

    internal PluginLease(PluginDescription description, object instance, PluginHealth health, Action release)
    {
        Description = description;
        Health = health;
        this.instance = instance;
        this.release = release;
    }

    public PluginDescription Description { get; }

    /// <summary>Where calls of the plugin are counted, and refused while it is in quarantine.</summary>
    public PluginHealth Health { get; }

    /// <summary>Bytes of native memory that what was built from this lease holds, for telemetry.</summary>
    public long NativeBytes
    {
        get => nativeBytes;
        set => Health.Hold(value - Interlocked.Exchange(ref nativeBytes, value));
    }

    /// <summary>The plugin as an interface of the SDK.</summary>
    /// <exception cref="UserErrorException">The plugin does not implement it.</exception>
    public T As<T>() where T : class
    {
        ObjectDisposedException.ThrowIf(instance is null, this);
        if (instance is IsolatedPlugin isolated && Description.Interfaces.Contains(typeof(T).FullName)) return isolated.As<T>();
        return instance as T
            ?? throw new UserErrorException($"{Description.Id} does not implement {typeof(T).Name}; it implements {string.Join(", ", Description.Interfaces)}");
    }

    /// <summary>
    /// The plugin as an interface of the SDK whose calls are counted, are refused while it is in quarantine, and throw the host's
    /// exceptions only. For calls that are no steps of a graph, which counts by itself.
    /// </summary>
    /// <exception cref="UserErrorException">The plugin does not implement it.</exception>
    public T Guarded<T>() where T : class
    {
        var target = As<T>();
        return GuardedCalls.Before<T>((method, arguments) => method.Invoke(target, arguments), Description, Health);
    }

    /// <summary>The same before an object that the plugin has made.</summary>
    public T Guarded<T>(T made) where T : class => GuardedCalls.Before<T>((method, arguments) => method.Invoke(made, arguments), Description, Health);

    /// <summary>Gives the plugin back; disposes the instance when it can be disposed.</summary>
    public void Dispose()
    {
        var disposable = instance as IDisposable;
        instance = null;
        NativeBytes = 0;
        try
        {
            disposable?.Dispose();
        }
        catch (Exception error)
        {
            throw PluginFailedException.From(error, Description.Id, "being disposed");
        }
        finally
        {
            Interlocked.Exchange(ref release, null)?.Invoke();
        }
    }
}
