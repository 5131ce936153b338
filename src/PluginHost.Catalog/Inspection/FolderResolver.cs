using System.Reflection;
using System.Runtime.InteropServices;

namespace PluginHost.Catalog.Inspection;

/// <summary>
/// Finds the assemblies that a plugin refers to: the shared ones are the host's, everything else is the plugin's own before it is
/// the host's or the runtime's. What the host and the runtime have is listed once for all plugins.
/// </summary>
/// <param name="own">Paths of the plugin's own assemblies by name.</param>
/// <param name="contracts">Contract assemblies that other packages bring: path by name.</param>
internal sealed class FolderResolver(IReadOnlyDictionary<string, string> own, IReadOnlyDictionary<string, string> contracts) : MetadataAssemblyResolver
{
    private static readonly Lazy<Dictionary<string, string>> Platform = new(() => PathsIn(SharedAssemblies.HostFolder, RuntimeEnvironment.GetRuntimeDirectory()));

    private static readonly Lazy<HashSet<string>> Runtime = new(() => [.. PathsIn(RuntimeEnvironment.GetRuntimeDirectory()).Keys]);

    /// <summary>Whether an assembly is the runtime's.</summary>
    public static bool InRuntime(string name) => Runtime.Value.Contains(name);

    /// <summary>Whether an assembly is the host's or the runtime's.</summary>
    public static bool InHost(string name) => Platform.Value.ContainsKey(name);

    public override Assembly? Resolve(MetadataLoadContext context, AssemblyName assemblyName)
    {
        var name = assemblyName.Name!;
        var path = !SharedAssemblies.Contains(name) && own.TryGetValue(name, out var mine) ? mine : contracts.GetValueOrDefault(name) ?? Platform.Value.GetValueOrDefault(name);
        return path is null ? null : context.LoadFromAssemblyPath(path);
    }

    private static Dictionary<string, string> PathsIn(params string[] folders)
    {
        var paths = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var path in folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.dll"))) paths.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        return paths;
    }
}
