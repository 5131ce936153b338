using System.Reflection;

namespace PluginHost.Catalog.Isolation;

/// <summary>An interface of the SDK whose calls go elsewhere.</summary>
internal class ForwardedCalls : DispatchProxy
{
    private Func<MethodInfo, object?[], object?> target = null!;

    public static T To<T>(Func<MethodInfo, object?[], object?> target) where T : class
    {
        var proxy = Create<T, ForwardedCalls>();
        ((ForwardedCalls)(object)proxy).target = target;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => target(targetMethod!, args ?? []);
}
