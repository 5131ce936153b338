using System.Reflection;

namespace PluginHost.Catalog.Tests;

/// <summary>The plugin folders that were built for the tests, and copies of them to be damaged.</summary>
internal sealed class FixturePlugins : IDisposable
{
    public static string Loading { get; } = Set("loading");

    /// <summary>Plugins that stay in memory.</summary>
    public static string Pins { get; } = Set("pins");

    /// <summary>Plugins that throw.</summary>
    public static string Faults { get; } = Set("faults");

    /// <summary>Packages that depend on each other, or on two versions of one library.</summary>
    public static string Contracts { get; } = Set("contracts");

    /// <summary>Plugins that are not to be trusted.</summary>
    public static string Isolation { get; } = Set("isolation");

    /// <summary>An empty plugin folder of this test's own.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("pluginhost-").FullName;

    /// <summary>Copies a fixture into the folder.</summary>
    public string Copy(string name, string? into = null, string? from = null)
    {
        from = Path.Combine(from ?? Loading, name);
        var target = Path.Combine(Folder, into ?? "", name);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return target;
    }

    public PluginCatalog Discover() => PluginCatalog.Discover([Folder]);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static string Set(string name) =>
        Path.Combine(typeof(FixturePlugins).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Fixtures").Value!, name);
}
