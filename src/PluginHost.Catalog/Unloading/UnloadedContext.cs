using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace PluginHost.Catalog.Unloading;

/// <summary>A context that is being unloaded, watched without keeping it in memory.</summary>
internal sealed class UnloadedContext : IDisposable
{
    private readonly WeakReference context;
    private GCHandle type;

    /// <param name="type">A type of the plugin's own.</param>
    public UnloadedContext(Type type)
    {
        context = new WeakReference(AssemblyLoadContext.GetLoadContext(type.Assembly));
        this.type = GCHandle.Alloc(type, GCHandleType.Weak);
    }

    /// <summary>Whether its code is still in memory.</summary>
    public bool IsAlive => context.IsAlive;

    /// <summary>Address of a weak handle to a type of the context, from which another process finds it.</summary>
    public nint Handle => GCHandle.ToIntPtr(type);

    public void Dispose()
    {
        if (type.IsAllocated) type.Free();
    }
}
