using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>Trained runs are rated, and two of them are compared question by question.</summary>
public sealed class EvaluateTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    private string Trained(int seed, string project = "pocket.json")
    {
        var stages = project == "pocket.json" ? 2 : 1;
        host.Run([
            "run", HostProcess.Project(project), .. Enumerable.Range(0, stages).SelectMany(stage => new[] { "--set", $"stages.{stage}.steps=2", "--set", $"stages.{stage}.batch=8" }),
            "--set", "data.settings.train=64", "--set", "data.settings.validation=8", "--set", "data.settings.test=8", "--set", "data.settings.compositional=0",
            "--set", $"seed={seed}", "--set", "evaluate=[]",
        ]).Succeeded();
        return Path.GetFileName(host.LatestRun());
    }

    [Fact]
    public void Evaluate_AllMetrics_HaveIntervalsBlindControlsAndAPage()
    {
        var run = Trained(1);
        var report = Path.Combine(host.Folder, "eval.json");

        var text = host.Run("evaluate", run, "--metrics", "all", "--limit", "4", "--splits", "test", "--report", report).Succeeded();

        var rows = HostProcess.Json(report)["evaluations"]!.AsArray();
        string[] families = ["bleu", "calibration-error", "clip-score", "distinct-1", "distinct-2", "exact-match", "recall@1", "rouge-1", "rouge-2", "rouge-l", "self-bleu", "vqa-accuracy"];
        Assert.Superset(families.ToHashSet(), rows.Select(row => ((string)row!["metric"]!).Split(':')[0]).ToHashSet());
        Assert.All(rows, row => Assert.Equal("test", (string?)row!["split"]));
        var accuracy = rows.Single(row => (string)row!["metric"]! == "vqa-accuracy")!;
        Assert.NotNull(accuracy["blind"]);
        Assert.InRange((double)accuracy["value"]!, (double)accuracy["low"]!, (double)accuracy["high"]!);
        Assert.All(HostProcess.Json(report)["answers"]!.AsArray(), answer => Assert.NotEmpty(answer!["right"]!.AsArray()));
        Assert.Contains("| vqa-accuracy |", File.ReadAllText(Path.ChangeExtension(report, ".md")), StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,", File.ReadAllText(Path.ChangeExtension(report, ".html")), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(report), File.ReadAllText(Path.Combine(host.LatestRun(), "evaluation.json")));
        Assert.Contains("vqa-accuracy", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_TwoRunsAskedTheSame_PairsTheirAnswers()
    {
        var (first, second) = (Trained(1), Trained(2));
        string[] asked = ["--metrics", "vqa-accuracy", "--limit", "6", "--splits", "test"];
        host.Run(["evaluate", first, .. asked]).Succeeded();

        var unrated = host.Run("compare", first, second, "--json");
        Assert.Equal(1, unrated.ExitCode);
        var rows = JsonNode.Parse(unrated.Output)!["rows"]!;
        Assert.Equal("vqa-accuracy", (string?)rows[0]!["metric"]);
        Assert.Equal($"nothing was evaluated: add a metric to 'evaluate', or run 'pluginhost evaluate {second}'", (string?)rows[1]!["error"]);
        Assert.Empty(JsonNode.Parse(unrated.Output)!["paired"]!.AsArray());

        host.Run(["evaluate", second, .. asked]).Succeeded();
        var pair = JsonNode.Parse(host.Run("compare", first, second, "--json").Succeeded().Output)!["paired"]![0]!;
        Assert.Equal((first, second), ((string)pair["first"]!, (string)pair["second"]!));
        var whole = pair["differences"]!.AsArray().Single(item => (string)item!["metric"]! == "vqa-accuracy")!;
        double Figure(string key) => (double)whole[key]!;
        Assert.Equal(Figure("second") - Figure("first"), Figure("difference"), 1e-9);
        Assert.InRange(Figure("difference"), Figure("low") - 1e-9, Figure("high") + 1e-9);
        Assert.InRange(Figure("p"), 0.001, 1);

        // Other questions are no pairs.
        host.Run("evaluate", second, "--metrics", "vqa-accuracy", "--limit", "5", "--splits", "test").Succeeded();
        Assert.Contains("they were not asked the same", host.Run("compare", first, second).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_Mistakes_AreNamedWithTheNearest()
    {
        var run = Trained(1, "fusion/mid.json");
        void Refused(string message, params string[] arguments)
        {
            var outcome = host.Run(["evaluate", .. arguments]);
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        }

        Refused("--metrics blue: there is no such metric; did you mean 'metric.bleu'?", run, "--metrics", "blue");
        Refused("metric.recall: the run has no contrastive objective", run, "--metrics", "recall");
        Refused("There is no run 'nowhere'", "nowhere");
        File.Delete(Path.Combine(host.LatestRun(), "model.safetensors"));
        Refused($"The run '{run}' is not finished", run);
    }

    [Fact]
    public void Export_OneEncoderCannotBeWritten_WritesTheOthersAndSaysWhy()
    {
        Trained(1, "fusion/dual-tower.json");

        var exported = JsonNode.Parse(host.Run("export", "latest", "--format", "onnx", "--out", "out", "--json").Succeeded().Output)!;

        Assert.Equal(["image.onnx", "caption.onnx"], exported["files"]!.AsArray().Select(file => (string)file!));
        Assert.Equal(["caption.onnx", "image.onnx"], Directory.GetFiles(Path.Combine(host.Folder, "out")).Select(Path.GetFileName).Order());
        Assert.Equal("the encoder 'text' reads 'fusion.context', and an ONNX file holds one encoder alone.", (string?)Assert.Single(exported["leftOut"]!.AsArray()));
    }
}
