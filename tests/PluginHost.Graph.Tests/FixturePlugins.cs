using System.Reflection;
using PluginHost.Catalog;

namespace PluginHost.Graph.Tests;

/// <summary>The plugin folders that were built for the tests.</summary>
internal static class FixturePlugins
{
    public static string Folder(string set) => Path.Combine(
        typeof(FixturePlugins).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Fixtures").Value!, set);

    public static PluginCatalog Discover(string set)
    {
        var catalog = PluginCatalog.Discover([Folder(set)]);
        Assert.Empty(catalog.Installed.Faults);
        return catalog;
    }
}
