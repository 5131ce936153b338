using System.Reflection;
using System.Text.RegularExpressions;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary><c>pluginhost plugins new</c>: a plugin project with its tests and sample, from the files of <c>dotnet new pluginhost</c>.</summary>
public static partial class NewPluginCommand
{
    private const string Common = "common";
    private const string Prefix = "templates/";

    /// <summary>Writes the project into a new folder.</summary>
    /// <param name="kind">The plugin's kind.</param>
    /// <param name="name">Its name in Pascal case: <c>CrossAttention</c> becomes the id <c>fusion.cross-attention</c>.</param>
    /// <param name="folder">Where to; null: a folder of that name in the current one.</param>
    /// <param name="output">Where the next steps are printed.</param>
    /// <returns>The exit code: 0.</returns>
    /// <exception cref="UserErrorException">There is no template of the kind, the name is none, or the folder is taken.</exception>
    public static int Run(string kind, string name, string? folder, TextWriter output)
    {
        var assembly = typeof(NewPluginCommand).Assembly;
        var files = assembly.GetManifestResourceNames().Where(file => file.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(file => (Resource: file, Parts: file[Prefix.Length..].Replace('\\', '/').Split('/', 2))).ToArray();
        var kinds = files.Select(file => file.Parts[0]).Where(part => part != Common).Distinct().ToArray();
        if (!kinds.Contains(kind)) throw new UserErrorException($"plugins new: there is no template of kind '{kind}'{NearestName.Suggestion(kind, kinds)}");
        if (!PascalName().IsMatch(name)) throw new UserErrorException($"plugins new: '{name}' is no name of a plugin; one is in Pascal case, such as CrossAttention");
        var target = Path.GetFullPath(folder ?? name);
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
            throw new UserErrorException($"plugins new: the folder '{target}' is not empty; choose another with --output");

        var id = $"{kind}.{Kebab(name)}";
        string Fill(string text) => text.Replace("PluginName", name, StringComparison.Ordinal)
            .Replace("PluginKind", char.ToUpperInvariant(kind[0]) + kind[1..], StringComparison.Ordinal)
            .Replace("plugin-kind", kind, StringComparison.Ordinal)
            .Replace("plugin-name", Kebab(name), StringComparison.Ordinal)
            .Replace("0.0.0-sdk", SdkVersion(), StringComparison.Ordinal);
        foreach (var (resource, parts) in files.Where(file => file.Parts[0] == kind || file.Parts[0] == Common))
        {
            var path = Path.Combine(target, Fill(parts[1]));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            File.WriteAllText(path, Fill(reader.ReadToEnd()));
        }
        output.WriteLine($"{id} is in {target}. Next:");
        output.WriteLine($"  dotnet test {Path.GetRelativePath(Directory.GetCurrentDirectory(), target)}    # the conformance suite of kind {kind}");
        output.WriteLine($"  dotnet pack {Path.GetRelativePath(Directory.GetCurrentDirectory(), target)}    # a plugin package");
        return 0;
    }

    private static string Kebab(string name) => WordStart().Replace(name, "-$0").ToLowerInvariant();

    private static string SdkVersion()
    {
        var version = typeof(PluginAttribute).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        return version.Split('+')[0];
    }

    [GeneratedRegex(@"^[A-Z][A-Za-z0-9]*\z")]
    private static partial Regex PascalName();

    [GeneratedRegex(@"(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])")]
    private static partial Regex WordStart();
}
