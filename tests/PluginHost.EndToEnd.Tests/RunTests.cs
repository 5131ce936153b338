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

    // A tenth of the campaign memory-slope.
    [SkippableFact]
    public void Run_AskedToStop_SaysHowToGoOn()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no signal that asks another process to stop.");
        using var process = host.Start(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(100_000)]);
        while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("stage ", StringComparison.Ordinal)) { }
        using (var signal = System.Diagnostics.Process.Start("kill", ["-TERM", $"{process.Id}"])) signal.WaitForExit();

        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();

        Assert.Equal(1, process.ExitCode);
        Assert.Contains("stopped; 'pluginhost run --resume latest' goes on from the last checkpoint", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_500Steps_MemoryIsFlatAfterTheFirst50()
    {
        using var campaign = new MemorySlope(HostProcess.Program, HostProcess.Project("pocket.json"));
        var slope = await campaign.RunAsync(steps: 550);
        Assert.True(slope < 100, string.Create(CultureInfo.InvariantCulture, $"resident memory grows by {slope:0.0} KB a step"));
    }

    [Fact]
    public void Run_Profile_AccountsForTheWholeStepAndForMemory()
    {
        var outcome = host.Run(["run", HostProcess.Project("pocket.json"), "--profile", "--set", "evaluate=[]", .. HostProcess.Tiny(5)]).Succeeded();

        Assert.Contains("stage pretrain: where a step's", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("memory at the peak: parameters", outcome.Output, StringComparison.Ordinal);
        var profiles = HostProcess.Json(Path.Combine(host.LatestRun(), "report.json"))["profile"]!.AsArray();
        Assert.Equal(["pretrain", "instruct"], profiles.Select(profile => (string)profile!["stage"]!));
        foreach (var profile in profiles)
        {
            var nodes = profile!["nodes"]!.AsArray();
            Assert.Equal(["image", "audio", "text", "fusion", "decoder"], nodes.Select(node => (string)node!["name"]!).Where(name => !name.StartsWith("objectives.", StringComparison.Ordinal)));
            var whole = nodes.Sum(node => (double)node!["forwardShare"]! + (double)node["backwardShare"]!)
                + new[] { "optimizerShare", "dataWaitShare", "boundaryShare" }.Sum(key => (double)profile[key]!);
            Assert.Equal(1, whole, 3);
            Assert.Equal(2, (int)profile["steps"]!);
            Assert.Equal(["parameters", "gradients", "optimizer", "activations", "rest"], profile["memoryMb"]!.AsObject().Select(kind => kind.Key));
            Assert.All(profile["memoryMb"]!.AsObject(), kind => Assert.True((double)kind.Value! > 0, kind.Key));
            foreach (var key in new[] { "gemmGflops", "modelGflops", "utilisation" }) Assert.True((double)profile[key]! > 0, key);
        }
    }

    [Fact]
    public void Run_WithoutProfile_ReportsNone()
    {
        host.Run(["run", HostProcess.Project("pocket.json"), "--set", "evaluate=[]", .. HostProcess.Tiny(1)]).Succeeded();
        Assert.False(HostProcess.Json(Path.Combine(host.LatestRun(), "report.json")).ContainsKey("profile"));
    }

    private List<double> Losses(string[] settings)
    {
        host.Run(["run", HostProcess.Project("pocket.json"), .. settings]).Succeeded();
        return LastLosses();
    }

    private List<double> LastLosses() =>
        [.. HostProcess.Json(Path.Combine(host.LatestRun(), "report.json"))["stages"]!.AsArray().Select(stage => (double)stage!["lastLoss"]!)];
}
