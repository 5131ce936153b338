namespace PluginHost.EndToEnd.Tests;

public sealed class WeightingTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData("static")]
    [InlineData("uncertainty")]
    [InlineData("grad-norm")]
    public void Run_EachWeighting_TrainsAndIsNamedInTheRecord(string name)
    {
        var report = Path.Combine(host.Folder, "report.json");

        host.Run("run", HostProcess.Project($"imbalanced/{name}.json"), "--set", "data.settings.train=64", "--set", "data.settings.test=6",
            "--set", "stages.0.batch=4", "--set", "stages.0.steps=3", "--set", "evaluate.0.tasks=[\"count\",\"beeps\"]", "--report", report).Succeeded();

        Assert.Contains($"\"id\": \"weighting.{name}\"", File.ReadAllText(Path.Combine(host.LatestRun(), "run.json")));
    }

    [Fact]
    public void Plan_SharedPatternOrPluginThatIsNone_IsNamed()
    {
        var wrong = host.Run("plan", HostProcess.Project("imbalanced/grad-norm.json"), "--set", "stages.0.weighting.use=weighting.gradnorm");

        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("did you mean 'weighting.grad-norm'?", wrong.Output + wrong.Error);
    }
}
