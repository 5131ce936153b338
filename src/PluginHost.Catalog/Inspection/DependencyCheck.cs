using System.Reflection;
using System.Runtime.InteropServices;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>Refuses a plugin whose dependencies are not beside it: the loader would silently take the host's copy.</summary>
internal static class DependencyCheck
{
    /// <returns>The contract assemblies of other packages that it refers to.</returns>
    public static IReadOnlyList<string> Run(MetadataLoadContext context, Assembly main, Dictionary<string, string> own, IReadOnlyDictionary<string, string> contracts)
    {
        var used = new List<string>();
        CheckContractVersion(main);
        var waiting = new Queue<(Assembly Assembly, bool Direct)>([(main, true)]);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (waiting.TryDequeue(out var item))
        {
            foreach (var reference in item.Assembly.GetReferencedAssemblies())
            {
                var name = reference.Name!;
                if (!seen.Add(name) || SharedAssemblies.Contains(name) || InRuntime(name)) continue;
                if (own.TryGetValue(name, out var path)) waiting.Enqueue((context.LoadFromAssemblyPath(path), false));
                else if (contracts.ContainsKey(name)) used.Add(name);
                else if (item.Direct || InHost(name))
                    throw new FolderFaultException($"{item.Assembly.GetName().Name} needs {name} {reference.Version}, which is not in the folder; build the plugin with EnableDynamicLoading, or add {name}.dll");
            }
        }
        return used;
    }

    private static void CheckContractVersion(Assembly main)
    {
        var host = typeof(PluginAttribute).Assembly.GetName().Version!;
        var wanted = main.GetReferencedAssemblies().FirstOrDefault(reference => reference.Name == "PluginHost.Sdk")?.Version;
        if (wanted is not null && wanted.Major > host.Major)
            throw new FolderFaultException($"it was built against PluginHost.Sdk {wanted.ToString(3)}, this host has {host.ToString(3)}; update the host or take an older version of the plugin");
    }

    private static bool InRuntime(string name) => File.Exists(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), name + ".dll"));

    private static bool InHost(string name) => File.Exists(Path.Combine(SharedAssemblies.HostFolder, name + ".dll"));
}
