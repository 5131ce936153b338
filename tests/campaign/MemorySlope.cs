using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace PluginHost.Campaign;

/// <summary>Trains the pocket project, made small, for many steps and watches the program's resident memory from outside.</summary>
internal sealed class MemorySlope : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private static readonly string[] Small =
    [
        "data.settings.train=64", "data.settings.test=8", "data.settings.validation=8", "data.settings.compositional=8", "evaluate=[]",
        "stages.0.batch=8", "stages.0.steps=1", "stages.1.batch=8", "stages.1.turns=2",
    ];

    private readonly string root = Directory.CreateTempSubdirectory("pluginhost-memory-").FullName;
    private readonly string program;
    private readonly string project;

    public MemorySlope(string program, string project) => (this.program, this.project) = (program, project);

    /// <summary>Runs it.</summary>
    /// <returns>Kilobytes that resident memory grows by a step.</returns>
    /// <exception cref="InvalidOperationException">The run failed, or was too short to tell.</exception>
    public async Task<double> RunAsync(int steps)
    {
        var host = Path.Combine(root, "host.json");
        await File.WriteAllTextAsync(host, JsonSerializer.Serialize(new { plugins = new[] { "{host}/plugins" }, artifacts = Path.Combine(root, "runs"), device = "cpu" }));
        var settings = Small.Append(string.Create(CultureInfo.InvariantCulture, $"stages.1.steps={steps}")).SelectMany(setting => new[] { "--set", setting });
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, "run", project, .. settings, "--host", host]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        var samples = new List<double>();
        while (!process.HasExited)
        {
            process.Refresh();
            if (!process.HasExited && Directory.Exists(Path.Combine(root, "runs"))) samples.Add(process.WorkingSet64 / 1024.0);
            await Task.Delay(Interval);
        }
        await output;
        if (process.ExitCode != 0) throw new InvalidOperationException(await error);
        if (samples.Count <= 40) throw new InvalidOperationException("the run was too short to tell");
        // The collector makes a saw of it; a leak lifts the saw's floor. The run's beginning fills caches.
        double Floor(double from, double to) => samples.Skip((int)(samples.Count * from)).Take((int)(samples.Count * (to - from))).Min();
        return (Floor(0.65, 0.95) - Floor(0.25, 0.55)) / (steps * 0.4);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);
}
