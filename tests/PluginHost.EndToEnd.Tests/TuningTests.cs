using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

public sealed class TuningTests : IDisposable
{
    private static readonly string Project = HostProcess.Project("pocket-instruct.json");

    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    // Adapters with dropout, and a state after each step.
    private static string[] Tiny(int steps) =>
    [
        .. HostProcess.Tiny(steps),
        .. new[] { 2, 3 }.SelectMany(stage => new[] { "--set", $"stages.{stage}.steps={steps}", "--set", $"stages.{stage}.batch=8" }),
        .. new[] { 0, 1, 2, 3 }.SelectMany(stage => new[] { "--set", $"stages.{stage}.checkpointEvery=1", "--set", $"stages.{stage}.keepCheckpoints=100" }),
        "--set", "stages.2.tuning.settings.dropout=0.1",
    ];

    [Fact]
    public void Run_PocketInstruct_ReportsEachTuningAndSavesItsAdapter()
    {
        host.Run(["run", Project, .. Tiny(2)]).Succeeded();

        var run = host.LatestRun();
        var stages = HostProcess.Json(Path.Combine(run, "report.json"))["stages"]!.AsArray();
        Assert.Equal([null, "tuning.full", "tuning.lora", "tuning.prefix"], stages.Select(stage => (string?)stage!["tuning"]));
        Assert.All(stages.Skip(1), stage => Assert.NotEmpty(stage!["evaluations"]!.AsArray()));
        double Figure(int stage, string key) => (double)stages[stage]![key]!;
        Assert.Equal(Figure(1, "totalParameters"), Figure(1, "trainableParameters"));
        Assert.All(new[] { 2, 3 }, stage => Assert.True(Figure(stage, "trainableParameters") <= 0.04 * Figure(1, "trainableParameters")));
        Assert.All(new[] { 2, 3 }, stage => Assert.True(Figure(stage, "optimizerAndGradientMb") <= 0.05 * Figure(1, "optimizerAndGradientMb")));
        Assert.All(stages, stage => Assert.True((double)stage!["peakMb"]! > 0));
        Assert.Equal(["lora", "prefix"], Directory.GetDirectories(Path.Combine(run, "adapter")).Select(Path.GetFileName).Order());
        Assert.Equal("LORA", (string?)HostProcess.Json(Path.Combine(run, "adapter", "lora", "adapter_config.json"))["peft_type"]);
        Assert.Equal("PREFIX_TUNING", (string?)HostProcess.Json(Path.Combine(run, "adapter", "prefix", "adapter_config.json"))["peft_type"]);

        // The run ends with a prefix over the pretrained weights: they are a base for the other adapter too.
        var own = host.Run("chat", run, "what colour is the star?").Succeeded();
        var both = host.Run("chat", run, "what colour is the star?", "--adapter", Path.Combine(run, "adapter", "lora"), "--adapter", Path.Combine(run, "adapter", "prefix")).Succeeded();
        Assert.NotEmpty(own.Output);
        Assert.NotEmpty(both.Output);
        // A prefix stands before the decoder alone: the encoders are whole without it.
        host.Run("export", run, "--format", "onnx", "--out", "out").Succeeded();
        Assert.Equal(["audio.onnx", "image.onnx", "text.onnx"], Directory.GetFiles(Path.Combine(host.Folder, "out")).Select(Path.GetFileName).Order());
        var rows = host.Run("compare", run, "--json").Succeeded();
        Assert.Empty(JsonNode.Parse(rows.Output)!["paired"]!.AsArray());
        Assert.Equal(["pocket-instruct/pretrain", "pocket-instruct/full", "pocket-instruct/lora", "pocket-instruct/prefix"], JsonNode.Parse(rows.Output)!["rows"]!.AsArray().Select(row => (string?)row!["project"]));
    }

    [Fact]
    public void Run_StoppedWithinATunedStage_ComesToTheSameWeights()
    {
        host.Run(["run", Project, .. Tiny(3), "--set", "evaluate=[]"]).Succeeded();
        var run = host.LatestRun();
        string[] results = [Path.Combine(run, "adapter", "lora", "adapter_model.safetensors"), Path.Combine(run, "adapter", "prefix", "adapter_model.safetensors"), Path.Combine(run, "model.safetensors")];
        var before = results.Select(File.ReadAllBytes).ToList();

        // As if it had been killed after the second step of the stage 'lora'.
        foreach (var file in Directory.GetFiles(Path.Combine(run, "checkpoints")).Where(file => string.CompareOrdinal(Path.GetFileName(file), "02-000000003") >= 0)) File.Delete(file);
        foreach (var file in results) File.Delete(file);
        host.Run("run", "--resume", run).Succeeded();

        Assert.All(results.Zip(before), pair => Assert.Equal(pair.Second, File.ReadAllBytes(pair.First)));
    }

    [Fact]
    public void Export_PrefixedEncoder_IsLeftOutAndSaysWhy()
    {
        host.Run(["run", Project, .. Tiny(1), "--set", "evaluate=[]", "--set", "stages.3.tuning.settings.towers=[\"text\"]"]).Succeeded();

        var exported = JsonNode.Parse(host.Run("export", "latest", "--format", "onnx", "--out", "out", "--json").Succeeded().Output)!;

        Assert.Equal(["image.onnx", "audio.onnx"], exported["files"]!.AsArray().Select(file => (string)file!));
        Assert.StartsWith($"'text' of the run '{Path.GetFileName(host.LatestRun())}' answers with a prefix", (string?)Assert.Single(exported["leftOut"]!.AsArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void Chat_AdapterOfAnotherBase_IsOneClearError()
    {
        host.Run(["run", Project, .. Tiny(1), "--set", "evaluate=[]"]).Succeeded();
        var adapter = Path.Combine(host.LatestRun(), "adapter", "lora");
        host.Run(["run", Project, .. Tiny(1), "--set", "evaluate=[]", "--set", "graph.decoder.settings.layers=2"]).Succeeded();

        var outcome = host.Run("chat", host.LatestRun(), "what colour is the star?", "--adapter", adapter);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains($"{adapter} is an adapter of another base, or of other settings: this model has nothing for its 'base_model.model.decoder.layers.2.", outcome.Error);
        Assert.Contains("is no adapter: it has no adapter_config.json", host.Run("chat", host.LatestRun(), "?", "--adapter", host.Folder).Error);
    }

    [Theory]
    [InlineData("stages.2.tuning.settings={\"target_modules\":[\"q_prj\"]}", "'q_prj' names no projection of this graph; did you mean 'q_proj'?")]
    [InlineData("stages.2.tuning.settings={\"r\":0}", "'rank' of tuning.lora is 0, outside its range 1 to 65536")]
    [InlineData("stages.2.tuning.settings={\"r\":4,\"rank\":8}", "'rank' and 'r' are one setting of tuning.lora; give it once")]
    [InlineData("stages.2.tuning=tuning.lor", "no plugin 'tuning.lor' is installed; did you mean 'tuning.lora'?")]
    [InlineData("stages.2.tuning=metric.bleu", "metric.bleu is of kind 'metric', but a tuning is expected here")]
    [InlineData("stages.2.from=prefix", "stage 'lora' cannot begin with what 'prefix' leaves, which comes after it; before it are pretrain, full")]
    public void Plan_TuningMistake_NamesPlaceAndNearest(string set, string message)
    {
        var outcome = host.Run("plan", Project, "--set", set);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, outcome.Error);
    }

    [Theory]
    [InlineData("stages.2.tuning.settings={\"rank\":100}", "'rank' is 100, above the width of 'audio.layers.0.attention.q_proj', which is [64, 64]")]
    [InlineData("stages.2.from=nowhere", "'from' names neither a stage before this one nor a run: There is no run 'nowhere'")]
    [InlineData("stages.2.tuning={\"use\":\"tuning.lora\",\"from\":\"nothing\"}", "is no adapter: it has no adapter_model.safetensors")]
    public void Run_TuningMistake_IsSaidBeforeAnythingIsTrained(string set, string message)
    {
        var outcome = host.Run(["run", Project, .. Tiny(1), "--set", set]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, outcome.Error);
        Assert.DoesNotContain("loss", outcome.Output);
    }
}
