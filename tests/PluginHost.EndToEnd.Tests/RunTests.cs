using System.Globalization;
using PluginHost.Campaign;

namespace PluginHost.EndToEnd.Tests;

public sealed class RunTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public void Run_Pocket_WritesReportRecordAndModel()
    {
        var report = Path.Combine(host.Folder, "report.json");
        host.Run(["run", HostProcess.Project("pocket.json"), "--report", report, .. HostProcess.Tiny(3)]).Succeeded();

        var json = HostProcess.Json(report);
        foreach (var stage in json["stages"]!.AsArray())
            foreach (var key in new[] { "name", "steps", "seconds", "tokensPerSecond", "firstLoss", "lastLoss" }) Assert.NotNull(stage![key]);
        var evaluations = json["evaluations"]!.AsArray();
        foreach (var evaluation in evaluations)
            foreach (var key in new[] { "metric", "split", "value", "blind" }) Assert.NotNull(evaluation![key]);
        Assert.All(evaluations, evaluation => Assert.True(evaluation!.AsObject().ContainsKey("spread")));
        var metrics = evaluations.Select(evaluation => (string?)evaluation!["metric"]).ToList();
        Assert.Contains("vqa-accuracy", metrics);
        Assert.Contains("recall@1:image->text", metrics);
        Assert.Contains(metrics, metric => metric!.StartsWith("bleu", StringComparison.Ordinal));

        var record = HostProcess.Json(Path.Combine(host.LatestRun(), "run.json"));
        Assert.Equal("finished", (string?)record["status"]);
        Assert.Contains(record["plugins"]!.AsArray(), plugin => (string?)plugin!["id"] == "fusion.mid" && plugin["hash"]!.GetValue<string>().Length == 64);
        foreach (var file in new[] { "model.safetensors", "tokenizer.json", "project.json", "report.html" })
            Assert.True(File.Exists(Path.Combine(host.LatestRun(), file)), file);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(host.LatestRun(), "checkpoints"), "*.safetensors").Length);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(host.LatestRun(), "events"), "*tfevents*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("fusion.early")]
    [InlineData("fusion.late")]
    public void Run_OneWordChanged_TrainsTheOtherFusion(string fusion)
    {
        host.Run(["run", HostProcess.Project("pocket.json"), "--set", $"graph.fusion.use={fusion}", .. HostProcess.Tiny(2)]).Succeeded();

        var record = HostProcess.Json(Path.Combine(host.LatestRun(), "run.json"));
        Assert.Contains(record["plugins"]!.AsArray(), plugin => (string?)plugin!["id"] == fusion);
    }

    [Fact]
    public void Run_SameSeedTwice_GivesTheSameLosses()
    {
        var first = Losses(HostProcess.Tiny(6));
        var second = Losses(HostProcess.Tiny(6));
        Assert.Equal(first, second);
        Assert.NotEqual(first, Losses([.. HostProcess.Tiny(6), "--set", "seed=2"]));
    }

    // A tenth of the campaign resume-kills.
    [Fact]
    public async Task Run_KilledAgainAndAgain_ComesToTheWeightsOfARunNeverKilled()
    {
        using var campaign = new ResumeKills(HostProcess.Program, HostProcess.Project("pocket.json"), _ => { });
        await campaign.RunAsync(kills: 5);
    }

    [Fact]
    public void Run_MovingAverage_IsSavedAndRatedBesideTheModel()
    {
        host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2), "--set", "stages.1.ema=0.9"]).Succeeded();

        Assert.True(File.Exists(Path.Combine(host.LatestRun(), "model-average.safetensors")));
        var metrics = HostProcess.Json(Path.Combine(host.LatestRun(), "report.json"))["evaluations"]!.AsArray().Select(evaluation => (string)evaluation!["metric"]!).ToList();
        Assert.Contains("vqa-accuracy", metrics);
        Assert.Contains("average/vqa-accuracy", metrics);
    }

    [Fact]
    public void Run_PatternWithoutParameter_NamesPlaceAndNearest()
    {
        var outcome = host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2), "--set", "stages.0.freeze=[\"decodr.*\"]"]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--set stages.0.freeze=[\"decodr.*\"]: 'decodr.*' matches no parameter; did you mean 'decoder.*'?", outcome.Error);
    }

    [Fact]
    public async Task Run_500Steps_MemoryIsFlatAfterTheFirst50()
    {
        string[] settings = [.. HostProcess.Tiny(550), "--set", "stages.0.steps=1", "--set", "stages.1.turns=2", "--set", "evaluate=[]"];
        using var process = host.Start(["run", HostProcess.Project("pocket.json"), .. settings]);
        _ = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        var samples = new List<double>();
        var events = Path.Combine(host.Folder, "runs");
        while (!process.HasExited)
        {
            process.Refresh();
            if (!process.HasExited && Directory.Exists(events)) samples.Add(process.WorkingSet64 / 1e6);
            await Task.Delay(100);
        }
        await output;
        Assert.Equal(0, process.ExitCode);
        // The collector makes a saw of it; a leak lifts the saw's floor. The run's beginning fills caches.
        double Floor(double from, double to) => samples.Skip((int)(samples.Count * from)).Take((int)(samples.Count * (to - from))).Min();
        Assert.True(samples.Count > 40, "the run was too short to tell");
        var slope = (Floor(0.65, 0.95) - Floor(0.25, 0.55)) / (550 * 0.4);
        Assert.True(slope < 0.1, string.Create(CultureInfo.InvariantCulture, $"resident memory grows by {slope:0.000} MB a step"));
    }

    private List<double> Losses(string[] settings)
    {
        host.Run(["run", HostProcess.Project("pocket.json"), .. settings]).Succeeded();
        return LastLosses();
    }

    private List<double> LastLosses() =>
        [.. HostProcess.Json(Path.Combine(host.LatestRun(), "report.json"))["stages"]!.AsArray().Select(stage => (double)stage!["lastLoss"]!)];
}
