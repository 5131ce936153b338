using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PluginHost.Campaign;

/// <summary>Trains the pocket project, made small, for many steps and watches the program's resident memory from outside.</summary>
internal sealed partial class MemorySlope : IDisposable
{
    // Starting, and the first steps' caches, are no leak.
    private const int WarmUp = 50;
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
    /// <returns>Kilobytes that resident memory grows by a step, after the first fifty.</returns>
    /// <exception cref="InvalidOperationException">The run failed, or was too short to tell.</exception>
    public async Task<double> RunAsync(int steps)
    {
        var host = Path.Combine(root, "host.json");
        await File.WriteAllTextAsync(host, JsonSerializer.Serialize(new { plugins = new[] { "{host}/plugins" }, artifacts = Path.Combine(root, "runs"), device = "cpu" }));
        var settings = Small.Append(string.Create(CultureInfo.InvariantCulture, $"stages.1.steps={steps}")).SelectMany(setting => new[] { "--set", setting });
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, "run", project, .. settings, "--host", host]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        var shown = new List<(TimeSpan At, int Step)>();
        var progress = Task.Run(() =>
        {
            while (process.StandardOutput.ReadLine() is { } line)
                if (Progress().Match(line) is { Success: true } match) shown.Add((clock.Elapsed, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
        });
        var samples = new List<(TimeSpan At, double Kilobytes)>();
        while (!process.HasExited)
        {
            process.Refresh();
            if (!process.HasExited) samples.Add((clock.Elapsed, process.WorkingSet64 / 1024.0));
            await Task.Delay(Interval);
        }
        await progress;
        if (process.ExitCode != 0) throw new InvalidOperationException(await error);
        var begin = Begin(shown);
        // After the last step the model is written and the process ends, and its memory with it.
        var end = shown[^1].At;
        var steady = samples.Where(sample => sample.At >= begin && sample.At <= end).Select(sample => sample.Kilobytes).ToList();
        if (steady.Count <= 40) throw new InvalidOperationException("the run was too short to tell");
        // The collector makes a saw of it; a leak lifts the saw's floor.
        var third = steady.Count / 3;
        return (steady.Skip(2 * third).Min() - steady.Take(third).Min()) / ((steps - WarmUp) * 2 / 3.0);
    }

    // When the warm-up ended: the program shows a step every few seconds, between which they are taken to be as long as each other.
    private static TimeSpan Begin(List<(TimeSpan At, int Step)> shown)
    {
        var after = shown.FindIndex(item => item.Step >= WarmUp);
        if (after < 1) throw new InvalidOperationException("the run was too short to tell");
        var ((from, first), (to, last)) = (shown[after - 1], shown[after]);
        return from + (to - from) * ((double)(WarmUp - first) / (last - first));
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [GeneratedRegex(@"instruct (\d+)/")]
    private static partial Regex Progress();
}
