// Runs inside the build (RoslynCodeTaskFactory).
using System.IO;
using System.Linq;
using System.Xml.Linq;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Writes the nuspec of a plugin package: the plugin's folder, and as dependencies only what an installer has to fetch.</summary>
public sealed class PluginNuspec : Task
{
    private static readonly XNamespace Schema = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd";

    [Required]
    public string File { get; set; }

    [Required]
    public string Id { get; set; }

    [Required]
    public string Version { get; set; }

    public string Authors { get; set; }

    public string Description { get; set; }

    public string License { get; set; }

    [Required]
    public string Framework { get; set; }

    /// <summary>Files of the package; metadata PackagePath says where in it.</summary>
    [Required]
    public ITaskItem[] Content { get; set; }

    /// <summary>Packages that it needs; metadata Version is a range.</summary>
    [Required]
    public ITaskItem[] Dependencies { get; set; }

    public override bool Execute()
    {
        var files = Content.GroupBy(file => file.GetMetadata("PackagePath").Replace('\\', '/')).OrderBy(group => group.Key, System.StringComparer.Ordinal)
            .Select(group => (Path: group.Key, Source: group.First().GetMetadata("FullPath"))).Where(file => System.IO.File.Exists(file.Source)).ToList();
        var nuspec = new XElement(Schema + "package",
            new XElement(Schema + "metadata",
                Text("id", Id), Text("version", Version), Text("authors", Authors), Text("description", Description),
                string.IsNullOrEmpty(License) ? null : new XElement(Schema + "license", new XAttribute("type", "expression"), License),
                files.Any(file => file.Path == "README.md") ? Text("readme", "README.md") : null,
                new XElement(Schema + "packageTypes", new XElement(Schema + "packageType", new XAttribute("name", "PluginHostPlugin"))),
                new XElement(Schema + "dependencies", new XElement(Schema + "group", new XAttribute("targetFramework", Framework),
                    Dependencies.GroupBy(item => item.ItemSpec).OrderBy(group => group.Key, System.StringComparer.Ordinal).Select(group => new XElement(
                        Schema + "dependency", new XAttribute("id", group.Key), new XAttribute("version", group.First().GetMetadata("Version"))))))),
            new XElement(Schema + "files", files.Select(file => new XElement(
                Schema + "file", new XAttribute("src", file.Source), new XAttribute("target", file.Path)))));
        Directory.CreateDirectory(Path.GetDirectoryName(File));
        nuspec.Save(File);
        return true;
    }

    private static XElement Text(string name, string value) => new XElement(Schema + name, value);
}
