using PluginHost.Sdk;

namespace PluginHost.Catalog;

/// <summary>The right to use a plugin: it is not unloaded before the lease is disposed. The instance is the lease's own.</summary>
public sealed class PluginLease : IDisposable
{
    private object? instance;
    private Action? release;

    internal PluginLease(PluginDescription description, object instance, Action release)
    {
        Description = description;
        this.instance = instance;
        this.release = release;
    }

    public PluginDescription Description { get; }

    /// <summary>The plugin as an interface of the SDK.</summary>
    /// <exception cref="UserErrorException">The plugin does not implement it.</exception>
    public T As<T>() where T : class
    {
        ObjectDisposedException.ThrowIf(instance is null, this);
        return instance as T
            ?? throw new UserErrorException($"{Description.Id} does not implement {typeof(T).Name}; it implements {string.Join(", ", Description.Interfaces)}");
    }

    /// <summary>Gives the plugin back; disposes the instance when it can be disposed.</summary>
    public void Dispose()
    {
        var disposable = instance as IDisposable;
        instance = null;
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
