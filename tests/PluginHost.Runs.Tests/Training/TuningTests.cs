using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Training;

[Collection("torch")]
public class TuningTests
{
    private const string Graph = """{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" } }, "mixed": { "use": "mixer.small", "in": { "vector": "image.pooled" } } }""";

    private static string Stage(string more = "") => $$"""
        {
          "name": "tuned", "steps": 6, "batch": 4, "accumulate": 2, "parallel": 2, "weightDecay": 0.1, "checkpointEvery": 1, "tuning": "tuning.none",
          "objectives": { "near": { "use": "objective.square", "in": { "vector": "mixed.mixed" } } } {{more}}
        }
        """;

    [Fact]
    public void Run_Adapter_TrainsAndChangesNothingElse()
    {
        using var run = new SmallRun(Graph, Stage(", \"learningRate\": 0.01"));
        var before = new[] { "image.map.weight", "mixed.map.weight" }.Select(run.Weight).ToList();

        var result = run.Train(tuning: new AddedRows());

        Assert.Equal(before, new[] { "image.map.weight", "mixed.map.weight" }.Select(run.Weight));
        Assert.True(result.LastLoss < result.FirstLoss, $"{result.FirstLoss} to {result.LastLoss}");
        Assert.Equal(("tuning.none", 16L, 12L + 16 + 16), (result.Tuning, result.TrainableParameters, result.TotalParameters));
        Assert.Equal((16 * 12 + 4) / 1e6, result.OptimizerAndGradientMegabytes!.Value, 4); // gradient and two moments, and a step count
        Assert.True(result.PeakMegabytes > 0);
        Assert.DoesNotContain(run.Checkpoints.States[^1].Tensors.Keys, name => name.StartsWith("optimizer.mixed", StringComparison.Ordinal));
        using var use = run.Live.Acquire();
        Assert.All(use.Graph.Parameters, parameter => Assert.True(parameter.Value.requires_grad, "what was frozen stays so"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Run_ResumedWithinATunedStage_ComesToTheSameBits(int step)
    {
        using var whole = new SmallRun(Graph, Stage());
        var losses = whole.Train(tuning: new AddedRows(0.5)).Losses;
        var state = whole.Checkpoints.States.Single(state => state.Step == step);
        using var resumed = new SmallRun(Graph, Stage());

        var result = resumed.Train(state, tuning: new AddedRows(0.5));

        Assert.Equal(losses, result.Losses);
        Assert.Equal(Rows(whole), Rows(resumed));
    }

    [Fact]
    public async Task Run_ExchangedGraph_GoesOnWithTheSameAdapter()
    {
        using var run = new SmallRun(Graph, Stage());
        run.Train(tuning: new AddedRows());
        var before = Rows(run);

        await run.Live.ExchangeAsync(run.Live.Plan, _ => { });

        Assert.Equal(before, Rows(run));
    }

    [Fact]
    public void Run_WithoutALearningRate_TakesThePartOfPretrainingsThatTheTuningNames()
    {
        static double FirstRate(string more)
        {
            using var run = new SmallRun(Graph, Stage($", \"warmup\": 0{more}"));
            run.Train(tuning: new AddedRows(part: 0.1));
            return run.Watched.Steps[0].Rate;
        }

        Assert.Equal(1e-4, FirstRate(""), 9); // of the default, 1e-3
        Assert.Equal(0.02, FirstRate(", \"learningRate\": 0.02"), 9);
    }

    [Fact]
    public void Run_RateFactor_SlowsItsParameter()
    {
        static float[] Change(double factor)
        {
            using var run = new SmallRun(Graph, Stage(", \"learningRate\": 0.001"));
            run.Train(tuning: new AddedRows(factor: factor));
            return Rows(run);
        }

        var (whole, none) = (Change(1), Change(0));
        Assert.All(none, value => Assert.Equal(0, value));
        Assert.Contains(whole, value => value != 0);
    }

    [Fact]
    public void Run_AverageOfATuning_IsOfWhatIsTrained()
    {
        using var run = new SmallRun(Graph, Stage(", \"ema\": 0.9"));

        run.Train(tuning: new AddedRows());

        Assert.Equal(["average.tuning.tuned.rows"], run.Checkpoints.States[^1].Tensors.Keys.Where(name => name.StartsWith("average.", StringComparison.Ordinal)));
    }

    private static float[] Rows(SmallRun run)
    {
        using var use = run.Live.Acquire();
        return use.Graph.Tunings.Attached.Single().Tuning.Parameters[0].Value.detach().data<float>().ToArray();
    }

    /// <summary>Adds a matrix, nought at first, to the mixer's projection; with dropout on its input.</summary>
    private sealed class AddedRows(double dropout = 0, double part = 1, double factor = 1) : ITuningPlugin
    {
        public ITuning Begin(TuningContext context) => new Added(context.Projections(["proj"])[0].Projection, dropout, part, factor);

        private sealed class Added(Projection projection, double dropout, double part, double factor) : ITuning, IProjectionAdapter
        {
            private readonly Parameter rows = new(zeros(projection.Rows, projection.Weight.size(1)));
            private bool training;

            public IEnumerable<Tensor> Weights => [rows];

            public IReadOnlyList<TunedParameter> Parameters => [new("rows", rows, factor)];

            public double RateOfPretraining => part;

            public JsonObject? Config => new() { ["peft_type"] = "ROWS" };

            public bool CanMerge => false;

            public Tensor Delta(Tensor input) => nn.functional.linear(nn.functional.dropout(input, dropout, training), rows);

            public AdapterSet Adapters(BatchMedia media) => new(new Dictionary<Projection, IProjectionAdapter> { [projection] = this }, AdapterSet.None.Slots);

            public void Train(bool on) => training = on;

            public void Merge() => throw new InvalidOperationException();

            public void Unmerge() => throw new InvalidOperationException();

            public void Dispose() => rows.Dispose();
        }
    }
}
