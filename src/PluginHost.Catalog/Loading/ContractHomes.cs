using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using McMaster.NETCore.Plugins;

namespace PluginHost.Catalog.Loading;

/// <summary>
/// The packages that bring a contract for others. Such a package has one load context, which its own plugins share with those of other
/// packages that refer to the contract: both then speak of the same types. It lives as long as one of them is loaded.
/// </summary>
internal sealed class ContractHomes
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, string> folders = [];
    private readonly Dictionary<string, string> mains = [];
    private readonly Dictionary<string, Home> homes = [];

    private sealed record Home(PluginLoader Loader)
    {
        public int Users { get; set; }
    }

    /// <summary>Notes that the folder of a main assembly brings a contract assembly.</summary>
    public void Add(string contract, string main)
    {
        folders[contract] = Path.GetDirectoryName(main)!;
        mains[folders[contract]] = main;
    }

    /// <summary>Whether plugins of a folder share a load context with others.</summary>
    public bool IsHome(string folder) => folders.ContainsValue(folder);

    /// <summary>The folder that brings a contract assembly.</summary>
    public string FolderOf(string contract) => folders[contract];

    /// <summary>The loader of a folder, for one more user.</summary>
    public PluginLoader Enter(string folder)
    {
        lock (gate)
        {
            if (!homes.TryGetValue(folder, out var home)) homes[folder] = home = new Home(PluginContext.Open(mains[folder]));
            home.Users++;
            return home.Loader;
        }
    }

    /// <summary>One user less; the last one unloads the context.</summary>
    public void Leave(string folder)
    {
        lock (gate)
        {
            var home = homes[folder];
            if (--home.Users > 0) return;
            homes.Remove(folder);
            home.Loader.Dispose();
        }
    }

    /// <summary>Lets a plugin's context find the contract assemblies that it lacks in their homes.</summary>
    /// <returns>The folders entered, to be left again.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public string[] Join(Assembly plugin, IReadOnlyList<string> contracts)
    {
        if (contracts.Count == 0) return [];
        string[] entered = [.. contracts.Select(FolderOf).Distinct()];
        var loaders = entered.ToDictionary(folder => folder, Enter);
        // The handler lives and dies with the plugin's own context.
        AssemblyLoadContext.GetLoadContext(plugin)!.Resolving += (_, name) =>
            name.Name is { } wanted && contracts.Contains(wanted) ? loaders[FolderOf(wanted)].LoadAssembly(name) : null;
        return entered;
    }
}
