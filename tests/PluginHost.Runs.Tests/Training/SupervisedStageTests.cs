using PluginHost.Config;
using PluginHost.Runs.Training;

namespace PluginHost.Runs.Tests.Training;

[Collection("torch")]
public class SupervisedStageTests
{
    private const string Graph = """{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" }, "settings": { "dropout": 0.2 } }, "mixed": { "use": "mixer.small", "in": { "vector": "image.pooled" } } }""";

    private static string Stage(string more = "") => $$"""
        { "steps": 6, "batch": 4, "learningRate": 0.01, "warmup": 2, "objectives": { "near": { "use": "objective.square", "in": { "vector": "mixed.mixed" } } } {{more}} }
        """;

    [Theory]
    [InlineData("")]
    [InlineData(""", "ema": 0.9, "validateEvery": 2 """)]
    [InlineData(""", "accumulate": 2, "parallel": 2, "groups": [{ "match": "image.*", "learningRate": 0.1 }] """)]
    public void Run_ResumedFromAnyStep_GivesTheSameLossesAndWeightsBitForBit(string more)
    {
        using var whole = new SmallRun(Graph, Stage($""", "checkpointEvery": 1 {more}"""));
        var expected = whole.Train();

        foreach (var state in whole.Checkpoints.States)
        {
            using var resumed = new SmallRun(Graph, Stage($""", "checkpointEvery": 1 {more}"""));
            var result = resumed.Train(state);
            Assert.Equal(expected.Losses, result.Losses);
            Assert.Equal(expected.Validations, result.Validations);
            Assert.Equal(whole.Weight("mixed.map.weight"), resumed.Weight("mixed.map.weight"));
        }
        Assert.Equal(6, whole.Checkpoints.States.Count);
    }

    /// <summary>What counts is spread unevenly over the micro-batches; a mean of their means would be another loss.</summary>
    [Theory]
    [InlineData(4, 3)]
    [InlineData(2, 6)]
    [InlineData(1, 12)]
    public void Run_Accumulated_IsTheSameAsOneLargeBatch(int batch, int accumulate)
    {
        static SmallRun Begin(int batch, int accumulate) => new(
            """{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" } } }""",
            $$"""{ "steps": 5, "batch": {{batch}}, "accumulate": {{accumulate}}, "learningRate": 0.01, "objectives": { "near": { "use": "objective.bright", "in": { "vector": "image.pooled", "pixels": "sample.image" } } } }""");
        using var large = Begin(12, 1);
        using var small = Begin(batch, accumulate);

        var losses = large.Train().Losses;
        Assert.All(losses, loss => Assert.True(loss > 0, "no picture counted"));
        Assert.Equal(losses, small.Train().Losses, (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(large.Weight("image.map.weight"), small.Weight("image.map.weight"), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(large.Watched.Steps.Select(step => step.Norm), small.Watched.Steps.Select(step => step.Norm), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void Run_ValidationIsTheBest_IsCheckpointed()
    {
        using var run = new SmallRun(Graph, Stage(""", "validateEvery": 2"""));

        run.Train();

        Assert.All(run.Checkpoints.States, state => Assert.Equal(state.IsBest, state.Validations.Min(point => point.Loss) == state.Validations[^1].Loss));
        Assert.Contains(run.Checkpoints.States, state => state.IsBest && state.Step == 2);
    }

    [Fact]
    public void Run_FrozenPattern_LeavesThoseWeightsAndTrainsTheOthers()
    {
        using var run = new SmallRun(Graph, Stage(""", "freeze": ["image.*"] """));
        var (image, mixed) = (run.Weight("image.map.weight"), run.Weight("mixed.map.weight"));

        run.Train();

        Assert.Equal(image, run.Weight("image.map.weight"));
        Assert.NotEqual(mixed, run.Weight("mixed.map.weight"));
        using var use = run.Live.Acquire();
        Assert.All(use.Graph.Parameters, parameter => Assert.True(parameter.Value.requires_grad));
    }

    [Fact]
    public void Run_GroupWithoutRate_StaysWhereItIs()
    {
        using var run = new SmallRun(Graph, Stage(""", "groups": [{ "match": "mixed.*", "learningRate": 0, "weightDecay": 0 }] """));
        var mixed = run.Weight("mixed.map.weight");

        run.Train();

        Assert.Equal(mixed, run.Weight("mixed.map.weight"));
    }

    [Theory]
    [InlineData("\"freeze\": [\"imgae.*\"]", "$.stages[0].freeze[0]: 'imgae.*' matches no parameter; did you mean 'image.*'?")]
    [InlineData("\"freeze\": [\"image.map.wieght\"]", "$.stages[0].freeze[0]: 'image.map.wieght' matches no parameter; did you mean 'image.map.weight'?")]
    [InlineData("\"groups\": [{ \"match\": \"nowhere.at.all\" }]", "$.stages[0].groups[0].match: 'nowhere.at.all' matches no parameter; the parameters are under 'image.*', 'mixed.*'")]
    [InlineData("\"freeze\": [\"*\"]", "$.stages[0].freeze[0]: 'freeze' leaves stage 'stage0' nothing to train; the graph's parameters are under 'image.*', 'mixed.*'")]
    public void Run_PatternThatCannotBe_SaysPlaceAndNearest(string setting, string message)
    {
        using var run = new SmallRun(Graph, Stage($", {setting}"));
        Assert.Contains(message, Assert.Throws<ConfigException>(() => run.Train()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_CheckpointOfANodeThatCannot_IsAnError() =>
        Assert.Contains("$.graph.image.use: 'checkpoint' is true, but encoder.small cannot compute its layers twice; leave it out", Assert.Throws<ConfigException>(() => new SmallRun(
            """{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" }, "checkpoint": true } }""",
            """{ "objectives": { "near": { "use": "objective.square", "in": { "vector": "image.pooled" } } } }""")).Message, StringComparison.Ordinal);

    [Fact]
    public void Run_CheckpointCannotBeWritten_FailsWithTheReason()
    {
        using var run = new SmallRun(Graph, Stage());
        run.Checkpoints.Failing = new IOException("No space left on device.");
        Assert.Contains("No space left on device.", Assert.Throws<RunFailedException>(() => run.Train()).Message);
    }
}
