using System.Reflection;

namespace PluginHost.Catalog.Inspection;

/// <summary>Refuses a plugin whose dependencies are not beside it: the loader would silently take the host's copy.</summary>
internal static class DependencyCheck
{
    /// <returns>The contract assemblies of other packages that it refers to.</returns>
    public static IReadOnlyList<string> Run(MetadataLoadContext context, Assembly main, Dictionary<string, string> own, IReadOnlyDictionary<string, string> contracts)
    {
        var used = new List<string>();
        var waiting = new Queue<(Assembly Assembly, bool Direct)>([(main, true)]);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (waiting.TryDequeue(out var item))
        {
            foreach (var reference in item.Assembly.GetReferencedAssemblies())
            {
                var name = reference.Name!;
                if (!seen.Add(name) || SharedAssemblies.Contains(name) || FolderResolver.InRuntime(name)) continue;
                if (own.TryGetValue(name, out var path)) waiting.Enqueue((context.LoadFromAssemblyPath(path), false));
                else if (contracts.ContainsKey(name)) used.Add(name);
                else if (item.Direct || FolderResolver.InHost(name))
                    throw new FolderFaultException($"{item.Assembly.GetName().Name} needs {name} {reference.Version}, which is not in the folder; build the plugin with EnableDynamicLoading, or add {name}.dll");
            }
        }
        return used;
    }
}
