using System.Xml.Linq;

namespace PluginHost.Architecture.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<string> Projects(string folder) =>
        [.. Directory.GetFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> References(string project) =>
        from reference in XDocument.Load(project).Descendants("ProjectReference")
        let include = reference.Attribute("Include")?.Value
        where include is not null
        select Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, include.Replace('\\', '/')));

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "PluginHost.sln"))) return folder;
        throw new InvalidOperationException($"PluginHost.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
