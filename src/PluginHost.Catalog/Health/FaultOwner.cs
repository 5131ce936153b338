using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace PluginHost.Catalog.Health;

/// <summary>Tells whose fault an exception is. The table does not keep a load context in memory.</summary>
internal static class FaultOwner
{
    private static readonly ConditionalWeakTable<AssemblyLoadContext, PluginHealth> Owners = [];

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Register(Type plugin, PluginHealth health) => Owners.AddOrUpdate(AssemblyLoadContext.GetLoadContext(plugin.Assembly)!, health);

    /// <summary>The plugin nearest to where it was thrown, or null.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static PluginHealth? Of(Exception error)
    {
        foreach (var frame in new StackTrace(error, fNeedFileInfo: false).GetFrames())
            if (frame.GetMethod()?.Module.Assembly is { } assembly && Of(assembly) is { } owner) return owner;
        return Of(error.GetType().Assembly) ?? (error.InnerException is { } inner ? Of(inner) : null);
    }

    private static PluginHealth? Of(Assembly assembly) =>
        AssemblyLoadContext.GetLoadContext(assembly) is { } context && Owners.TryGetValue(context, out var owner) ? owner : null;
}
