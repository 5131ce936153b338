using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>The program, started as a user starts it, with an artifacts folder of its own.</summary>
public sealed class HostProcess : IDisposable
{
    public HostProcess()
    {
        Folder = Directory.CreateTempSubdirectory("pluginhost").FullName;
        HostFile = Path.Combine(Folder, "host.json");
        File.WriteAllText(HostFile, JsonSerializer.Serialize(new { plugins = new[] { "{host}/plugins" }, artifacts = Path.Combine(Folder, "runs"), device = "cpu" }));
    }

    public static string Root { get; } = Metadata("Root");

    public static string Program { get; } = Path.Combine(Root, "src", "PluginHost", "bin", Metadata("Configuration"), "pluginhost.dll");

    public string Folder { get; }

    public string HostFile { get; }

    /// <summary>Settings that make the pocket project small enough for a test.</summary>
    public static string[] Tiny(int steps) =>
    [
        "--set", "data.settings.train=64", "--set", "data.settings.test=8", "--set", "data.settings.validation=8", "--set", "data.settings.compositional=8",
        "--set", "stages.0.batch=8", "--set", "stages.1.batch=8", "--set", $"stages.0.steps={steps}", "--set", $"stages.1.steps={steps}",
    ];

    public static string Project(string name) => Path.Combine(Root, "host-config", name);

    /// <summary>Variables that the program sees besides those of the tests.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder, StandardOutputEncoding = Encoding.UTF8 };
        foreach (var argument in (string[])[Program, .. arguments, "--host", HostFile]) start.ArgumentList.Add(argument);
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public Outcome Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var error = new StringBuilder();
        process.ErrorDataReceived += (_, line) => error.AppendLine(line.Data);
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, error.ToString());
    }

    /// <summary>The newest run's folder.</summary>
    public string LatestRun() => Path.Combine(Folder, "runs", File.ReadAllText(Path.Combine(Folder, "runs", "latest")).Trim());

    public static JsonObject Json(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    public void Dispose() => Directory.Delete(Folder, true);

    private static string Metadata(string key) =>
        typeof(HostProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}

/// <summary>What a finished process left.</summary>
public sealed record Outcome(int ExitCode, string Output, string Error)
{
    public Outcome Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}\n{Error}");
        return this;
    }
}
