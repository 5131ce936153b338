using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace PluginHost.Campaign;

/// <summary>
/// Kills a training run (SIGKILL) at a random moment, resumes it, kills it again, until it comes to its end; then begins another. After
/// each kill every checkpoint is whole and none is lost; at each end the weights are those of a run that was never killed, byte for byte.
/// </summary>
internal sealed class ResumeKills : IDisposable
{
    // Two stages, several checkpoints a second, a moving average, micro-batches side by side.
    private static readonly string[] Small =
    [
        "data.settings.train=64", "data.settings.test=8", "data.settings.validation=8", "data.settings.compositional=8", "evaluate=[]",
        "stages.0.batch=4", "stages.0.steps=40", "stages.0.checkpointEvery=3", "stages.0.validateEvery=8",
        "stages.1.batch=4", "stages.1.steps=20", "stages.1.checkpointEvery=1", "stages.1.keepCheckpoints=3", "stages.1.ema=0.9",
    ];

    private readonly string root = Directory.CreateTempSubdirectory("pluginhost-resume-").FullName;
    private readonly string program;
    private readonly string project;
    private readonly string host;
    private readonly Action<string> say;
    private readonly Random random = new(1);

    public ResumeKills(string program, string project, Action<string> say)
    {
        (this.program, this.project, this.say) = (program, project, say);
        host = Path.Combine(root, "host.json");
        File.WriteAllText(host, JsonSerializer.Serialize(new { plugins = new[] { "{host}/plugins" }, artifacts = Path.Combine(root, "runs"), device = "cpu" }));
    }

    private string LatestFile => Path.Combine(root, "runs", "latest");

    /// <summary>Runs the campaign.</summary>
    /// <returns>How many runs came to their end.</returns>
    /// <exception cref="InvalidOperationException">A checkpoint was lost or damaged, or a resumed run came to other weights.</exception>
    public async Task<int> RunAsync(int kills)
    {
        var (_, whole) = await LiveAsync(resume: false, killAfter: null);
        var expected = Model();
        var (finished, killed, newest) = (0, 0, "");
        var before = LatestRun();
        while (killed < kills || newest.Length > 0 || finished == 0)
        {
            var resume = LatestRun() != before;
            var (ended, _) = await LiveAsync(resume, killed < kills ? whole * random.NextDouble() * 0.9 : null);
            if (!ended)
            {
                killed++;
                newest = LatestRun() == before ? "" : Check(newest);
                say($"kill {killed} of {kills}: {(newest.Length == 0 ? "no checkpoint yet" : $"{newest} is whole")}");
                continue;
            }
            if (Model() != expected) throw new InvalidOperationException($"the resumed run {LatestRun()} came to other weights");
            finished++;
            (before, newest) = (LatestRun(), "");
            say($"run {finished} came to its end with the same weights");
        }
        say($"{killed} kills, {finished} runs finished, every one with the weights of the run that was never killed; no checkpoint lost or damaged");
        return finished;
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    /// <summary>Starts or resumes a run, and kills it after a time.</summary>
    /// <returns>Whether it came to its end, and how many milliseconds it lived.</returns>
    private async Task<(bool Ended, double Milliseconds)> LiveAsync(bool resume, double? killAfter)
    {
        var start = new ProcessStartInfo("dotnet", [program, "run", .. resume ? ["--resume", "latest"] : Small.SelectMany(setting => new[] { "--set", setting }).Prepend(project), "--host", host])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var clock = Stopwatch.StartNew();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (killAfter is { } milliseconds)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
            }
        }
        await process.WaitForExitAsync();
        await output;
        const int killed = 137;
        if (process.ExitCode is not (0 or killed)) throw new InvalidOperationException($"a run that nobody killed failed: {await error}");
        return (process.ExitCode == 0, clock.Elapsed.TotalMilliseconds);
    }

    // The name of the newest run; empty before there is one.
    private string LatestRun() => File.Exists(LatestFile) ? File.ReadAllText(LatestFile).Trim() : "";

    private string Folder() => Path.Combine(root, "runs", LatestRun());

    private string Model() =>
        string.Concat(new[] { "model.safetensors", "model-average.safetensors" }.Select(name => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder(), name))))));

    private string Check(string before)
    {
        var folder = Path.Combine(Folder(), "checkpoints");
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).ToArray() : [];
        foreach (var file in files)
            if (!IsWhole(file)) throw new InvalidOperationException($"{file} is damaged");
        var newest = files.Length == 0 ? "" : Path.GetFileNameWithoutExtension(files[^1]);
        if (string.CompareOrdinal(newest, before) < 0) throw new InvalidOperationException($"after the checkpoint {before} there is only {newest}");
        return newest;
    }

    // The tensors end where the file does.
    private static bool IsWhole(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var header = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var json = JsonDocument.Parse(bytes.AsMemory(8, (int)header));
        var end = json.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__").Max(entry => entry.Value.GetProperty("data_offsets")[1].GetInt64());
        return bytes.Length == 8 + header + end;
    }
}
