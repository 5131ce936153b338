using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PluginHost.Campaign;

/// <summary>
/// Decoding beside llama.cpp's, as node-llama-cpp gives it: the model of bench.json, exported as fp32 GGUF, on one thread, greedily, after prompts of 64 tokens. The two take turns;
/// ratios are medians over rounds, each of one round's own numbers.
/// </summary>
internal sealed class LlamaCppSpeed(string program, string root, string npm) : IDisposable
{
    private static readonly (int Sequences, string Ours)[] Cases = [(1, "singleTokensPerSecond"), (8, "eightTokensPerSecond")];

    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-llama-").FullName;

    private string Host => Path.Combine(folder, "host.json");

    private string Project => Path.Combine(root, "host-config", "bench.json");

    public async Task RunAsync(int rounds)
    {
        await File.WriteAllTextAsync(Host, JsonSerializer.Serialize(new { plugins = new[] { "{host}/plugins" }, artifacts = Path.Combine(folder, "runs"), device = "cpu" }));
        await OursAsync("run", Project, "--set", "stages.0.steps=10"); // speed does not depend on what a weight is
        await OursAsync("export", "latest", "--format", "gguf", "--out", folder);
        var model = Directory.GetFiles(folder, "*.gguf").Single();
        var ratios = Cases.Select(_ => new List<double>()).ToArray();
        for (var round = 1; round <= rounds; round++)
        {
            var ours = JsonNode.Parse(await OursAsync("bench", "decode", Project, "--rounds", "1", "--json"))!;
            for (var i = 0; i < Cases.Length; i++)
            {
                var theirs = (double)JsonNode.Parse(await StartAsync("node", Path.Combine(root, "tests", "campaign", "llama.mjs"), Path.Combine(npm, "node_modules"), model, "1", $"{Cases[i].Sequences}", "64", "48"))!["tokensPerSecond"]!;
                var own = (double)ours[Cases[i].Ours]!;
                ratios[i].Add(own / theirs);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}, {Cases[i].Sequences} at a time: {own:0} tokens/s, llama.cpp {theirs:0}, {own / theirs:0.00} times"));
            }
        }
        for (var i = 0; i < Cases.Length; i++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Cases[i].Sequences} at a time: {ratios[i].Order().ElementAt(rounds / 2):0.00} times llama.cpp (median of {rounds})"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task<string> OursAsync(params string[] arguments) => StartAsync("dotnet", [program, .. arguments, "--host", Host]);

    private static async Task<string> StartAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}");
    }
}
