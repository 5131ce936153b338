using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>What a benchmark reports, on models too small to say anything about speed.</summary>
public sealed class BenchTests : IDisposable
{
    private static readonly string[] Short = ["--rounds", "2", "--memory-steps", "3", "--set", "data.text.length=32", "--set", "stages.0.batch=2"];

    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public void BenchTrain_SmallDecoder_ReportsEveryFigureAndTheOperationsCountedByHand()
    {
        var report = Path.Combine(host.Folder, "train.json");
        var outcome = host.Run([
            "bench", "train", HostProcess.Project("bench.json"), "--report", report, .. Short, "--set", "data.tokenizer.settings.vocabulary=300",
            "--set", "graph.decoder.settings={\"width\":32,\"layers\":1,\"heads\":2,\"keyValueHeads\":2,\"feedForward\":32,\"tiedHead\":false}"]).Succeeded();

        Assert.Contains("utilisation", outcome.Output, StringComparison.Ordinal);
        var json = HostProcess.Json(report);
        foreach (var key in new[] { "gemmGflops", "modelGflops", "utilisation", "straightTokensPerSecond", "hostTokensPerSecond", "optimizerShare", "adamwSpeedup", "peakMb", "plannedMb" })
            Assert.True((double)json[key]! > 0, key);
        foreach (var key in new[] { "dataWaitShare", "residentSlopeKbPerStep", "boundaryShare", "activationMb" }) Assert.NotNull(json[key]);
        Assert.Equal(Environment.ProcessorCount > 1 ? 2 : 1, json["threads"]!.AsArray().Count);
        Assert.All(json["threads"]!.AsArray(), item => Assert.NotNull(item!["straightTokensPerSecond"]));

        // 64 tokens: 2 · (q, k, v 3·32² + o 32² + gate, up 2·32² + down 32² + head 32·300) a token, and 4 · 16 for each of the
        // 32·33/2 pairs of a row and head; three times that with the backward pass.
        const double linear = 64 * 2.0 * (7 * 32 * 32 + 32 * 300);
        const double attention = 2 * 2 * (32 * 33 / 2) * 4.0 * 16;
        var nodes = json["nodes"]!.AsArray();
        Assert.Equal(["decoder", "objectives.language"], nodes.Select(node => (string)node!["name"]!));
        Assert.Equal(3 * (linear + attention) / 1e9, (double)nodes[0]!["gflopPerStep"]!, 6);
    }

    [Fact]
    public void BenchTrain_Multimodal_HasNothingStraightToCompareWith()
    {
        var outcome = host.Run(["bench", "train", HostProcess.Project("pocket.json"), "--json", .. Short]).Succeeded();

        var json = JsonNode.Parse(outcome.Output)!;
        Assert.Null(json["straightTokensPerSecond"]);
        Assert.True((double)json["hostTokensPerSecond"]! > 0);
    }

    [Fact]
    public void BenchTrain_NoRounds_IsAMistakeThatIsExplained()
    {
        var outcome = host.Run("bench", "train", HostProcess.Project("bench.json"), "--rounds", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--rounds 0: at least 1 is needed.", outcome.Error, StringComparison.Ordinal);
    }
}
