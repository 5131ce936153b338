using PluginHost.Runs.Training;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Training;

[Collection("torch")]
public class PrecisionTests
{
    private static SmallRun Run(string stage, string image = "", string mixed = "", string objective = "") => new(
        $$"""
        { "image": { "use": "encoder.small", "in": { "pixels": "sample.image" }, "settings": { {{image}} } },
          "mixed": { "use": "mixer.small", "in": { "vector": "image.pooled" }, "settings": { {{mixed}} } } }
        """,
        $$"""
        { "name": "one", "steps": 8, "batch": 4, "learningRate": 0.02, "warmup": 2, "checkpointEvery": 1,
          "objectives": { "near": { "use": "objective.square", "in": { "vector": "mixed.mixed" }, "settings": { {{objective}} } } } {{stage}} }
        """);

    private static double Scale(TrainingState state, string group) => state.Tensors[$"scale.{group}"].data<double>()[0];

    [Theory]
    [InlineData("bf16", 0.02)]
    [InlineData("fp16", 0.005)]
    [InlineData("fp8", 0.15)]
    public void Run_NarrowFormat_StaysNearFp32AndDiffers(string precision, double distance)
    {
        using var wide = Run("");
        using var narrow = Run($", \"precision\": \"{precision}\"");

        var (expected, actual) = (wide.Train(), narrow.Train());

        Assert.NotEqual(expected.Losses, actual.Losses);
        Assert.All(expected.Losses.Zip(actual.Losses), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, distance * Math.Max(1, pair.First)));
    }

    [Theory]
    [InlineData("fp16")]
    [InlineData("fp8")]
    public void Run_NarrowFormatResumed_IsTheSameBitForBit(string precision)
    {
        var stage = $", \"precision\": \"{precision}\", \"lossScale\": {{ \"initial\": 1099511627776, \"interval\": 2 }}, \"accumulate\": 2, \"parallel\": 2";
        using var whole = Run(stage);
        var expected = whole.Train();
        foreach (var state in whole.Checkpoints.States.Where(state => state.Step % 3 == 0))
        {
            using var resumed = Run(stage);
            Assert.Equal(expected.Losses, resumed.Train(state).Losses);
            Assert.Equal(whole.Weight("image.map.weight"), resumed.Weight("image.map.weight"));
        }
        if (precision == "fp16") Assert.True(whole.Checkpoints.States[^1].Tensors["skipped"].data<long>()[0] > 0, "nothing overflowed");
    }

    [Fact]
    public void Run_Overflow_SkipsTheStepAndHalvesTheScaleAndNothingElse()
    {
        using var run = Run(", \"precision\": \"fp16\", \"lossScale\": { \"initial\": 4194304 }");

        run.Train();

        Assert.NotEmpty(run.Watched.Skips);
        Assert.Equal(Enumerable.Range(1, 8), run.Watched.Steps.Select(step => step.Step));
        Assert.Equal(Enumerable.Range(0, 8).Select(step => LearningRate.At(step, 8, 0.02, 2, 0.05)), run.Watched.Steps.Select(step => step.Rate));
        var last = run.Checkpoints.States[^1];
        Assert.Equal(8, last.Tensors["optimizer.mixed.map.weight#step"].item<float>());
        Assert.Equal(run.Watched.Skips.Count, last.Tensors["skipped"].data<long>()[0]);
        Assert.True(Scale(last, "mixed") < 4194304);
    }

    [Fact]
    public void Run_NoOverflow_ScalesDoubleAfterTheInterval()
    {
        using var run = Run(", \"precision\": \"fp16\", \"lossScale\": { \"initial\": 64, \"interval\": 3 }");

        run.Train();

        Assert.Empty(run.Watched.Skips);
        Assert.Equal([64, 64, 128, 128, 128, 256, 256, 256], run.Checkpoints.States.Select(state => Scale(state, "image")));
    }

    [Fact]
    public void Run_OneModalityOverflows_LeavesTheOthersScale()
    {
        using var run = new SmallRun(
            """
            { "loud": { "use": "encoder.small", "in": { "pixels": "sample.image" }, "settings": { "gain": 20 } },
              "soft": { "use": "encoder.small", "in": { "pixels": "sample.image" } } }
            """,
            """
            { "steps": 4, "batch": 4, "learningRate": 0, "precision": "fp16", "objectives": {
              "a": { "use": "objective.square", "in": { "vector": "loud.pooled" } }, "b": { "use": "objective.square", "in": { "vector": "soft.pooled" } } } }
            """);

        run.Train();

        Assert.True(Scale(run.Checkpoints.States[^1], "loud") < 65536);
        Assert.Equal(65536, Scale(run.Checkpoints.States[^1], "soft"));
    }

    [Fact]
    public void Run_NoScaleHelps_NamesWhoIsToBlame()
    {
        using var run = Run(", \"precision\": \"fp16\"", objective: "\"gain\": 1e12");
        Assert.Contains("The first to blame is 'mixed'", Assert.Throws<RunFailedException>(() => run.Train()).Message, StringComparison.Ordinal);
    }
}
