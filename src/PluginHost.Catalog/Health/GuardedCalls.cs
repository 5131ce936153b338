using System.Reflection;
using System.Runtime.CompilerServices;

namespace PluginHost.Catalog.Health;

/// <summary>
/// Stands before a plugin as an interface of the SDK: counts its calls, refuses them in quarantine, and turns what it throws into the
/// host's own exceptions.
/// </summary>
internal class GuardedCalls : DispatchProxy
{
    private Func<MethodInfo, object?[], object?> target = null!;
    private PluginDescription plugin = null!;
    private PluginHealth health = null!;

    public static T Before<T>(Func<MethodInfo, object?[], object?> target, PluginDescription plugin, PluginHealth health) where T : class
    {
        var proxy = Create<T, GuardedCalls>();
        var calls = (GuardedCalls)(object)proxy;
        (calls.target, calls.plugin, calls.health) = (target, plugin, health);
        return proxy;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var began = health.Begin();
        try
        {
            var result = target(targetMethod!, args ?? []);
            health.End(began);
            return result;
        }
        catch (Exception error)
        {
            var failure = PluginFailedException.From(error, plugin.Id, Doing(targetMethod!.Name));
            if (failure is PluginFailedException) health.Fail(began, failure.Message);
            else health.Abandon(began);
            throw failure;
        }
    }

    // Compute -> computing, Decode -> decoding
    private static string Doing(string method) => (method.EndsWith('e') ? method[..^1] : method).ToLowerInvariant() + "ing";
}
