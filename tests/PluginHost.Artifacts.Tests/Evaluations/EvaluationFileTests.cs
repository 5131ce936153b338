using PluginHost.Artifacts.Evaluations;
using PluginHost.Runs.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Tests.Evaluations;

public sealed class EvaluationFileTests : IDisposable
{
    private readonly string artifacts = Directory.CreateTempSubdirectory("evaluation").FullName;

    public void Dispose() => Directory.Delete(artifacts, true);

    private RunFolder Run() => RunFolder.Create(artifacts, "pocket", DateTimeOffset.UnixEpoch, "{}");

    private static EvaluationReport Report()
    {
        var turn = new Turn("colour", "what colour is the \"star\"?", "红色") { AlsoRight = ["red"] };
        return new EvaluationReport(
            [
                new EvaluationResult("accuracy", "test", 0.75, 0.5, 4, "exact") { Asked = "abc", Draws = [0.5, 0.75, 1] },
                new EvaluationResult("ece", "test", 0.1, null, 4, null) { Asked = "abc", LowerIsBetter = true, Draws = [0.1, 0.125] },
                new EvaluationResult("distinct-1", "test", 0.3, null, 4, null),
            ], [])
        {
            Answers = [new GivenAnswer("test", new Prediction("7", turn, "red") { Confidence = 0.25 }, "blue")],
            Problems = ["metric.recall: no pairs"],
        };
    }

    [Fact]
    public void Write_Read_GivesTheResultsWithDraws()
    {
        var run = Run();
        EvaluationFile.Write(run.Evaluation, run.Name, Report());

        var results = EvaluationFile.Read(run);

        Assert.Equal([("accuracy", 0.75, "abc", false), ("ece", 0.1, "abc", true)], results.Select(result => (result.Metric, result.Value, result.Asked, result.LowerIsBetter)));
        Assert.Equal([0.5, 0.75, 1], results[0].Draws);
        Assert.All(results, result => Assert.Equal("test", result.Split));
    }

    [Fact]
    public void Of_Answers_StandBesideTheTruthAndTheBlindOne()
    {
        var answer = Assert.Single(EvaluationFile.Of("run", Report())["answers"]!.AsArray())!;

        Assert.Equal("""{"split":"test","sample":"7","task":"colour","prompt":"what colour is the \"star\"?","right":["红色","red"],"said":"red","blind":"blue","confidence":0.25}""",
            answer.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public void Read_NoFile_SaysWhatMakesIt()
    {
        var run = Run();

        Assert.Equal($"The run '{run.Name}' has no evaluation.json; 'pluginhost evaluate {run.Name}' makes it.", Assert.Throws<UserErrorException>(() => EvaluationFile.Read(run)).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("""{ "evaluations": [], "draws": [{ "metric": "a", "split": "b", "asked": "c", "lowerIsBetter": false, "values": [1] }] }""")]
    [InlineData("""{ "evaluations": [], "draws": [{ "metric": 1 }] }""")]
    public void Read_DamagedFile_IsOneClearError(string content)
    {
        var run = Run();
        File.WriteAllText(run.Evaluation, content);

        Assert.StartsWith($"{run.Evaluation}: this is no evaluation: ", Assert.Throws<UserErrorException>(() => EvaluationFile.Read(run)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CutOffFile_IsRefused()
    {
        var run = Run();
        var whole = EvaluationFile.Of(run.Name, Report()).ToJsonString();
        for (var length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllText(run.Evaluation, whole[..length]);
            Assert.Throws<UserErrorException>(() => EvaluationFile.Read(run));
        }
    }
}
