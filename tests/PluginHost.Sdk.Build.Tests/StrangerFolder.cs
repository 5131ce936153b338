using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;

namespace PluginHost.Sdk.Build.Tests;

/// <summary>A folder outside of the repository with a feed of the packed SDK and the templates installed: all that a stranger has.</summary>
public sealed class StrangerFolder : IDisposable
{
    private static readonly string[] Packed =
    [
        "sdk/PluginHost.Sdk", "sdk/PluginHost.Sdk.Layers", "sdk/PluginHost.Sdk.Testing", "sdk/PluginHost.Sdk.Build", "sdk/PluginHost.Templates",
        "src/PluginHost.Config", "src/PluginHost.Catalog",
    ];

    public StrangerFolder()
    {
        Feed = Directory.CreateDirectory(System.IO.Path.Combine(Path, "feed")).FullName;
        var filter = System.IO.Path.Combine(Path, "sdk.slnf");
        var projects = Packed.Select(project => $"\"{project}/{System.IO.Path.GetFileName(project)}.csproj\"");
        File.WriteAllText(filter, $$"""{ "solution": { "path": "{{Root}}PluginHost.sln", "projects": [ {{string.Join(", ", projects)}} ] } }""");
        Dotnet(Path, "pack", filter, "--no-build", "-c", Configuration, "-o", Feed, "-m:1").Succeeded();
        Dotnet(Path, "pack", System.IO.Path.Combine(Root, "sdk", "samples", "Scorer.Kind"), "--no-build", "-c", Configuration, "-o", Feed).Succeeded();
        File.WriteAllText(System.IO.Path.Combine(Path, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{System.IO.Path.Combine(Path, "packages")}" /></config>
              <packageSources><add key="sdk" value="{Feed}" /></packageSources>
              <fallbackPackageFolders><add key="machine" value="{MachinePackages}" /></fallbackPackageFolders>
            </configuration>
            """);
        Dotnet(Path, "new", "install", System.IO.Path.Combine(Feed, $"PluginHost.Templates.{Version}.nupkg")).Succeeded();
    }

    public static string Root { get; } = Metadata("Root");

    public static string Configuration { get; } = Metadata("Configuration");

    public static string Version { get; } = typeof(StrangerFolder).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public string Path { get; } = Directory.CreateTempSubdirectory("pluginhost-stranger-").FullName;

    public string Feed { get; }

    private static string MachinePackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>Makes a plugin from the template, in a folder of its own.</summary>
    public string NewPlugin(string kind, string name, string folder)
    {
        Dotnet(Path, "new", "pluginhost", "--kind", kind, "-n", name, "-o", folder).Succeeded();
        return System.IO.Path.Combine(Path, folder);
    }

    /// <summary>Runs the CLI without what this test run's own build has put into the environment.</summary>
    public Outcome Dotnet(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList()) start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_HOME"] = System.IO.Path.Combine(Path, "home");
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        // A build server that stays would hold the folder.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output + error.Result);
    }

    public static IReadOnlyList<string> Entries(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        return [.. zip.Entries.Select(entry => entry.FullName)];
    }

    /// <summary>The dependencies in a package's nuspec: <c>id range</c>.</summary>
    public static IReadOnlyList<string> Dependencies(string package) =>
        [.. Nuspec(package).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => $"{element.Attribute("id")!.Value} {element.Attribute("version")!.Value}")];

    public static XElement Nuspec(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        using var stream = zip.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XElement.Load(stream);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static string Metadata(string key) => typeof(StrangerFolder).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == key).Value!;
}

/// <summary>What a finished command left.</summary>
public sealed record Outcome(int ExitCode, string Output)
{
    public Outcome Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}");
        return this;
    }
}
