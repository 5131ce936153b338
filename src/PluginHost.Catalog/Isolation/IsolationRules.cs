using System.Reflection;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Isolation;

/// <summary>Tells which plugins can run in a process of their own: those whose interface speaks of small data only.</summary>
public static class IsolationRules
{
    /// <summary>Why a plugin cannot be isolated; null when it can.</summary>
    public static string? Refusal(PluginDescription plugin)
    {
        var interfaces = plugin.Interfaces.Select(name => typeof(PluginAttribute).Assembly.GetType(name)).OfType<Type>().ToArray();
        if (interfaces.Length == 0) return $"{plugin.Id} implements no interface of the SDK, so it cannot run in a process of its own";
        foreach (var method in interfaces.SelectMany(type => type.GetMethods()))
            foreach (var type in method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType))
                if (!IsolationMessages.Carries(type))
                    return $"{plugin.Id} cannot run in a process of its own: {method.DeclaringType!.Name}.{method.Name} speaks of {type.Name}, which stays within one; kinds whose data is small (metrics of text, say) can";
        return null;
    }
}
