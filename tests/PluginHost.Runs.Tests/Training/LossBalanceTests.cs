using PluginHost.Runs.Training;
using PluginHost.Sdk;

namespace PluginHost.Runs.Tests.Training;

[Collection("torch")]
public class LossBalanceTests
{
    private const string Graph = """{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" } }, "mixed": { "use": "mixer.small", "in": { "vector": "image.pooled" } } }""";

    private static string Stage(string weighting, string more = "") => $$"""
        {
          "steps": 6, "batch": 4, "accumulate": 2, "parallel": 2, "learningRate": 0.01, "weightDecay": 0, "checkpointEvery": 1, "weighting": {{weighting}}, "objectives": {
            "near": { "use": "objective.square", "in": { "vector": "mixed.mixed" } },
            "far":  { "use": "objective.square", "in": { "vector": "mixed.mixed" }, "settings": { "target": 9 } }
          } {{more}}
        }
        """;

    [Fact]
    public void Run_WeightsOfNought_TeachNothing()
    {
        using var run = new SmallRun(Graph, Stage("\"weighting.none\""));
        var before = run.Weight("mixed.map.weight");

        run.Train(weighting: new Recorder((_, _) => [0, 0]));

        Assert.Equal(before, run.Weight("mixed.map.weight"));
    }

    [Fact]
    public void Run_OneObjectiveCounts_ObservesTheGradientNormOfTheStep()
    {
        var recorder = new Recorder((_, _) => [1, 0]);
        using var run = new SmallRun(Graph, Stage("\"weighting.none\""));

        run.Train(weighting: recorder);

        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(run.Watched.Steps[i].Norm, recorder.Observed[i][0]!.Value.GradientNorm, 1e-4 * run.Watched.Steps[i].Norm);
            Assert.Equal(run.Watched.Steps[i].Losses["far"], recorder.Observed[i][1]!.Value.Loss);
        }
    }

    [Fact]
    public void Run_SharedParameters_AreWhatNormsAreTakenOver()
    {
        var (all, mixed, image) = (new Recorder((_, _) => [1, 1]), new Recorder((_, _) => [1, 1]), new Recorder((_, _) => [1, 1]));

        foreach (var (recorder, weighting) in new[] { (all, "\"weighting.none\""), (mixed, Sharing("mixed.*")), (image, Sharing("image.*")) })
        {
            using var run = new SmallRun(Graph, Stage(weighting));
            run.Train(weighting: recorder);
        }

        double Norm(Recorder recorder) => recorder.Observed[0][0]!.Value.GradientNorm;
        Assert.Equal(Math.Pow(Norm(all), 2), Math.Pow(Norm(mixed), 2) + Math.Pow(Norm(image), 2), 1e-3 * Math.Pow(Norm(all), 2));
    }

    [Fact]
    public void Run_ResumedFromAnyStep_GivesTheSameLossesBitForBit()
    {
        static double[] Louder(int step, IReadOnlyList<ObservedLoss?> last) => [1 + 0.5 * step, last.Count == 0 ? 1 : 1 / (1 + last[1]!.Value.GradientNorm)];
        using var whole = new SmallRun(Graph, Stage("\"weighting.none\""));
        var expected = whole.Train(weighting: new Recorder(Louder));

        foreach (var state in whole.Checkpoints.States)
        {
            using var resumed = new SmallRun(Graph, Stage("\"weighting.none\""));
            Assert.Equal(expected.Losses, resumed.Train(state, weighting: new Recorder(Louder)).Losses);
        }
    }

    [Fact]
    public void Run_CheckpointWithoutWeighting_IsRefused()
    {
        using var plain = new SmallRun(Graph, Stage("\"weighting.none\""));
        plain.Train();
        using var run = new SmallRun(Graph, Stage("\"weighting.none\""));

        Assert.Contains("no state of a weighting", Assert.Throws<RunFailedException>(() => run.Train(plain.Checkpoints.States[0], weighting: new Recorder((_, _) => [1, 1]))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(1.0, -1.0)]
    [InlineData(1.0, double.NaN)]
    public void Run_WeightsThatCannotBe_FailWithTheRule(params double[] weights)
    {
        using var run = new SmallRun(Graph, Stage("\"weighting.none\""));

        Assert.Contains("each weight is a finite number of 0 or more", Assert.Throws<RunFailedException>(() => run.Train(weighting: new Recorder((_, _) => weights))).Message, StringComparison.Ordinal);
    }

    private static string Sharing(string pattern) => $$"""{ "use": "weighting.none", "shared": ["{{pattern}}"] }""";

    /// <summary>Weights from the count of steps and the last step's losses; keeps what it is told.</summary>
    private sealed class Recorder(Func<int, IReadOnlyList<ObservedLoss?>, double[]> rule) : IWeightingPlugin, IWeighting
    {
        private double steps, loss, norm;

        public List<IReadOnlyList<ObservedLoss?>> Observed { get; } = [];

        public IReadOnlyList<double> Weights => rule((int)steps, steps == 0 ? [] : [null, new ObservedLoss(loss, norm)]);

        public bool NeedsGradientNorms => true;

        public IReadOnlyList<double> State => [steps, loss, norm];

        public IWeighting Begin(IReadOnlyList<string> objectives)
        {
            Assert.Equal(["near", "far"], objectives);
            return this;
        }

        public void Observe(IReadOnlyList<ObservedLoss?> losses)
        {
            Observed.Add(losses);
            (steps, loss, norm) = (steps + 1, losses[1]!.Value.Loss, losses[1]!.Value.GradientNorm);
        }

        public void Restore(IReadOnlyList<double> state) => (steps, loss, norm) = (state[0], state[1], state[2]);
    }
}
