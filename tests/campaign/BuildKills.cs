using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace PluginHost.Campaign;

/// <summary>
/// Kills <c>data build</c> (SIGKILL) at a random moment, builds again, kills it again, until it comes to its end; then begins another. What stands under
/// a version's name is whole at any time, and each build ends in the same version, byte for byte.
/// </summary>
internal sealed class BuildKills : IDisposable
{
    private const int Sounds = 24;
    private const int Seconds = 4;

    private readonly string root = Directory.CreateTempSubdirectory("pluginhost-builds-").FullName;
    private readonly string program;
    private readonly Action<string> say;
    private readonly Random random = new(1);

    public BuildKills(string program, Action<string> say)
    {
        (this.program, this.say) = (program, say);
        File.WriteAllText(Path.Combine(root, "host.json"), JsonSerializer.Serialize(new { plugins = new[] { "{host}/plugins" }, artifacts = Path.Combine(root, "runs"), device = "cpu" }));
        File.WriteAllLines(Path.Combine(root, "manifest.jsonl"), Enumerable.Range(0, Sounds).Select(i => JsonSerializer.Serialize(new { id = $"{i}", text = $"sound number {i}", audio_path = $"{i}.wav" })));
        for (var i = 0; i < Sounds; i++) WriteSound(i);
        File.WriteAllText(Path.Combine(root, "sounds.json"), """
            {
              "data": { "use": "source.manifest", "settings": { "path": "manifest.jsonl" }, "filters": [{ "use": "filter.media", "settings": { "longestSeconds": 20 } }], "audio": { "rate": 8000, "seconds": 3 } },
              "graph": { "audio": { "use": "encoder.log-mel", "in": { "samples": "sample.audio" } } }
            }
            """);
    }

    /// <summary>Runs the campaign.</summary>
    /// <returns>How many builds came to their end.</returns>
    /// <exception cref="InvalidOperationException">Something half-built was found, or another version than the expected one.</exception>
    public async Task<int> RunAsync(int kills)
    {
        var (_, whole) = await BuildAsync("expected", null);
        var expected = Contents("expected");
        var (finished, killed, continued) = (0, 0, 0);
        for (var begun = false; killed < kills || begun || finished == 0;)
        {
            var (ended, _) = await BuildAsync("built", killed < kills ? whole * (0.3 + 0.8 * random.NextDouble()) : null);
            if (!ended) killed++;
            var versions = Directory.Exists(Folder("built")) ? Directory.GetDirectories(Folder("built")).Where(folder => !folder.EndsWith(".partial", StringComparison.Ordinal)).ToArray() : [];
            if (versions.Length > 0 && Contents("built") != expected) throw new InvalidOperationException($"{versions[0]} is not the version that was to be built: {string.Join(", ", Contents("built").Split('\n').Except(expected.Split('\n')))} for {string.Join(", ", expected.Split('\n').Except(Contents("built").Split('\n')))}");
            if (ended && versions.Length != 1) throw new InvalidOperationException($"{versions.Length} versions came of a build");
            if (!ended && versions.Length == 0 && Directory.Exists(Folder("built")) && Directory.GetFiles(Folder("built"), "shard-*.jsonl", SearchOption.AllDirectories).Length > 0) continued++;
            say($"kill {killed} of {kills}: {(versions.Length > 0 ? "the version is whole" : "no version yet")}");
            begun = !ended && versions.Length == 0;
            if (begun) continue;
            finished++;
            Directory.Delete(Folder("built"), recursive: true);
        }
        say($"{killed} kills, {continued} of them between two shards, {finished} builds finished, every one with the same version byte for byte");
        return finished;
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string Folder(string name) => Path.Combine(root, name);

    /// <summary>Starts or continues a build, and kills it after a time.</summary>
    /// <returns>Whether it came to its end, and how many milliseconds it lived.</returns>
    private async Task<(bool Ended, double Milliseconds)> BuildAsync(string name, double? killAfter)
    {
        string[] arguments = [program, "data", "build", Folder("sounds.json"), "--out", Folder(name), "--shard", "1", "--host", Folder("host.json")];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var clock = Stopwatch.StartNew();
        var (error, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        if (killAfter is { } milliseconds && !process.WaitForExit(TimeSpan.FromMilliseconds(milliseconds))) process.Kill();
        await process.WaitForExitAsync();
        await output;
        const int killed = 137;
        if (process.ExitCode is not (0 or killed)) throw new InvalidOperationException($"a build that nobody killed failed: {await error}");
        return (process.ExitCode == 0, clock.Elapsed.TotalMilliseconds);
    }

    private string Contents(string name) => string.Join('\n', Directory.GetDirectories(Folder(name)).Where(folder => !folder.EndsWith(".partial", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        .SelectMany(folder => Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(file => $"{Path.GetRelativePath(Folder(name), file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}")));

    /// <summary>A tone with noise, 16 bits at 44.1 kHz: with two dozen of them there are several shards.</summary>
    private void WriteSound(int number)
    {
        const int rate = 44100;
        var bytes = new byte[44 + 2 * Seconds * rate];
        "RIFF"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - 8);
        "WAVEfmt "u8.CopyTo(bytes.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), 2 * rate);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(34), 16);
        "data"u8.CopyTo(bytes.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), bytes.Length - 44);
        for (var i = 0; i < Seconds * rate; i++)
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(44 + 2 * i), (short)(8000 * Math.Sin(i * (200 + 10 * number) * 2 * Math.PI / rate) + random.Next(-2000, 2000)));
        File.WriteAllBytes(Path.Combine(root, $"{number}.wav"), bytes);
    }
}
