using System.IO.Compression;
using System.Text;

namespace PluginHost.Catalog.Tests.Install;

/// <summary>A plugin package in the making; written by hand, so that it can be as wrong as a test wants.</summary>
internal sealed class TestPackage(string id, string version)
{
    public string Id { get; } = id;

    public string Version { get; } = version;

    public string Sdk { get; set; } = "[0.1.0,1.0.0)";

    public string Type { get; set; } = "PluginHostPlugin";

    /// <summary>Id and range of other packages.</summary>
    public Dictionary<string, string> Dependencies { get; } = [];

    /// <summary>Entries by name in the package.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>Last changes to the package.</summary>
    public Action<ZipArchive>? Finish { get; set; }

    /// <summary>A media plugin: its id is <c>media.</c> and the package's in lower case.</summary>
    public static TestPackage Media(string id, string version, string? plugin = null, string more = "")
    {
        var package = new TestPackage(id, version);
        plugin ??= "media." + id.ToLowerInvariant().Replace('.', '-');
        package.Files[$"plugin/{id}.dll"] = PluginCompiler.Compile(id, PluginCompiler.Media(plugin, version, more));
        package.Files["plugin/data/words.txt"] = Encoding.UTF8.GetBytes($"words of {version}");
        return package;
    }

    /// <summary>Writes the package into a folder.</summary>
    public string WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{Id}.{Version}.nupkg");
        File.Delete(path);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Add(archive, $"{Id}.nuspec", Encoding.UTF8.GetBytes(Nuspec()));
        foreach (var (name, content) in Files) Add(archive, name, content);
        Finish?.Invoke(archive);
        return path;
    }

    public static void Add(ZipArchive archive, string name, byte[] content)
    {
        using var stream = archive.CreateEntry(name, CompressionLevel.Fastest).Open();
        stream.Write(content);
    }

    private string Nuspec() => $"""
        <?xml version="1.0" encoding="utf-8"?>
        <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
          <metadata>
            <id>{Id}</id><version>{Version}</version><authors>Acme</authors><description>A test.</description>
            <packageTypes><packageType name="{Type}" /></packageTypes>
            <dependencies>
              <group targetFramework="net10.0">
                {(Sdk.Length == 0 ? "" : $"<dependency id=\"PluginHost.Sdk\" version=\"{Sdk}\" />")}
                {string.Concat(Dependencies.Select(item => $"<dependency id=\"{item.Key}\" version=\"{item.Value}\" />"))}
              </group>
            </dependencies>
          </metadata>
        </package>
        """;
}
