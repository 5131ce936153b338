namespace PluginHost.EndToEnd.Tests;

public sealed class CompareTests : IDisposable
{
    private static readonly string[] Tiny =
    [
        "--set", "data.settings.train=64", "--set", "data.settings.test=6", "--set", "data.settings.validation=4", "--set", "data.settings.compositional=0",
        "--set", "stages.0.batch=4", "--set", "stages.0.steps=2", "--set", "evaluate.0.tasks=[\"colour\",\"count\"]",
    ];

    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    public static TheoryData<string> Architectures() => ["early", "mid", "late", "single-stream", "dual-tower"];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Plan_EachArchitecture_IsSoundAndSaysWhatAnswers(string name)
    {
        var outcome = host.Run("plan", HostProcess.Project($"fusion/{name}.json")).Succeeded();

        Assert.Equal(name == "dual-tower", outcome.Output.Contains("no decoder: match (objective.matching) ranks the answers that training samples give to a question's task"));
    }

    [Fact]
    public void Compare_ProjectsOneOfThemBroken_TrainsTheOthersAndReportsAll()
    {
        var broken = Path.Combine(host.Folder, "broken.json");
        File.WriteAllText(broken, File.ReadAllText(HostProcess.Project("fusion/mid.json")).Replace("fusion.mid", "fusion.midd"));
        var report = Path.Combine(host.Folder, "fusion.report.json");

        var outcome = host.Run(["compare", HostProcess.Project("fusion/single-stream.json"), broken, HostProcess.Project("fusion/dual-tower.json"), "--report", report, .. Tiny]);

        Assert.Equal(1, outcome.ExitCode);
        Assert.DoesNotContain("   at ", outcome.Output + outcome.Error);
        var rows = HostProcess.Json(report)["rows"]!.AsArray();
        Assert.Equal(["single-stream", "mid", "dual-tower"], rows.Select(row => (string?)row!["project"]));
        Assert.StartsWith("broken.json(", (string?)rows[1]!["error"]);
        Assert.EndsWith("no plugin 'fusion.midd' is installed; did you mean 'fusion.mid'?", (string?)rows[1]!["error"]);
        foreach (var row in new[] { rows[0]!, rows[2]! })
        {
            foreach (var key in new[] { "accuracy", "blind", "tokensPerSecond", "peakMb" }) Assert.NotNull(row[key]);
            Assert.InRange((double)row["peakMb"]!, 100, 20_000);
            Assert.Equal(["colour", "count"], row["tasks"]!.AsObject().Select(task => task.Key));
        }
        Assert.Contains("<svg", File.ReadAllText(Path.ChangeExtension(report, ".html")));

        // Runs are compared without training: the same figures.
        var again = Path.Combine(host.Folder, "again.json");
        host.Run("compare", "latest", (string)rows[0]!["run"]!, "--report", again).Succeeded();
        var runs = HostProcess.Json(again)["rows"]!.AsArray();
        Assert.Equal(["dual-tower", "single-stream"], runs.Select(row => (string?)row!["project"]));
        Assert.Equal(rows[0]!["accuracy"]!.ToJsonString(), runs[1]!["accuracy"]!.ToJsonString());
        Assert.Equal(rows[0]!["peakMb"]!.ToJsonString(), runs[1]!["peakMb"]!.ToJsonString());
    }

    [Fact]
    public void Compare_WhatDoesNotExist_IsRefusedBeforeAnythingIsTrained()
    {
        var run = host.Run("compare", HostProcess.Project("fusion/mid.json"), "yesterday");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("There is no run 'yesterday' in ", run.Error);
        Assert.Contains("there are no runs yet: start with 'pluginhost run PROJECT'", run.Error);
        Assert.Equal("", run.Output);

        var project = host.Run("compare", HostProcess.Project("fusion/midd.json"));
        Assert.Equal(2, project.ExitCode);
        Assert.Contains("midd.json: there is no such project file; did you mean 'mid.json'?", project.Error);
    }

    [Fact]
    public void Compare_OverridesForRunsAlone_AreRefused()
    {
        Directory.CreateDirectory(Path.Combine(host.Folder, "runs", "one"));

        var outcome = host.Run("compare", "one", "--set", "seed=2");

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--set changes project files that are to be trained, but only runs are compared", outcome.Error);
    }
}
