using PluginHost.Runs.Profiling;
using PluginHost.Runs.Tests.Training;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Profiling;

[Collection("torch")]
public class TrainingProfileTests
{
    private const string Graph = """{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" }, "settings": { "dropout": 0.2 } }, "mixed": { "use": "mixer.small", "in": { "vector": "image.pooled" } } }""";

    private static string Stage(string more) => $$"""
        { "steps": 4, "batch": 4, "learningRate": 0.01, "warmup": 2, "objectives": { "near": { "use": "objective.square", "in": { "vector": "mixed.mixed" } } } {{more}} }
        """;

    [Theory]
    [InlineData("")]
    [InlineData(""", "accumulate": 2, "parallel": 2 """)]
    [InlineData(""", "precision": "fp16" """)]
    public void Profile_OfAStage_AccountsForItAndChangesNothing(string more)
    {
        IReadOnlyList<double> Losses(TrainingProfile? profile)
        {
            using var run = new SmallRun(Graph, Stage(more));
            return run.Train(profile: profile).Losses;
        }
        var profile = new TrainingProfile();

        Assert.Equal(Losses(null), Losses(profile));

        var figures = profile.Take();
        Assert.Equal(4, figures.Steps);
        Assert.Equal(["image", "mixed", "objectives.near"], figures.Nodes.Select(node => node.Name));
        Assert.All(figures.Nodes, node => Assert.True(node is { Forward: > 0, Backward: > 0 }, node.ToString()));
        Assert.True(figures is { DataWait: >= 0, Optimizer: > 0, Rest: > 0 }, figures.ToString());
        Assert.Equal(figures.Seconds, figures.Compute + figures.Optimizer + figures.DataWait + figures.Rest, 9);
        Assert.Equal(0, profile.Take().Steps);
    }

    [Fact]
    public void Profile_Warmup_IsLeftOut()
    {
        using var run = new SmallRun(Graph, Stage(""));
        var profile = new TrainingProfile(warmup: 3);

        run.Train(profile: profile);

        Assert.Equal(1, profile.Take().Steps);
    }

    [Fact]
    public void Trace_LinearMap_CountsEachOperandThatWantsAGradient()
    {
        using var scope = NewDisposeScope();
        var (input, weight) = (ones(2, 3, 4), ones(5, 4));
        Assert.Equal(2 * 6 * 4 * 5, Count(trace => trace.Linear(input, weight)));
        Assert.Equal(3 * 2 * 6 * 4 * 5, Count(trace => trace.Linear(input.clone().requires_grad_(), weight.clone().requires_grad_())));
    }

    [Fact]
    public void Trace_Attention_CountsThePairsThatSeeEachOther()
    {
        using var scope = NewDisposeScope();
        var (query, keys) = (ones(2, 3, 4, 8), ones(2, 3, 6, 8));
        Assert.Equal(2 * 2 * (2 * 3 * 4 * 6 * 8), Count(trace => trace.Attention(query, keys, keys, null, causal: false)));
        Assert.Equal(2 * 2 * (2 * 3 * 10 * 8), Count(trace => trace.Attention(query, query, query, null, causal: true)));
    }

    [Fact]
    public void Trace_BackwardPass_CountsNothingTwice()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, Count(trace =>
        {
            trace.EnterBackward();
            trace.Linear(ones(2, 4), ones(5, 4));
        }));
    }

    [Fact]
    public void Memory_OfThisProcess_IsKnown()
    {
        Assert.True(ProcessMemory.Resident > 1 << 20);
        Assert.True(ProcessMemory.Peak >= ProcessMemory.Resident / 2);
        using var before = zeros(1);
        if (ProcessMemory.Allocated is not { } start) return;
        using var large = ones(4 << 20);
        Assert.InRange(ProcessMemory.Allocated!.Value - start, 15L << 20, 64L << 20);
    }

    private static double Count(Action<MicroBatchTrace> work)
    {
        var profile = new TrainingProfile();
        using (var trace = new MicroBatchTrace(profile, null, null))
        {
            trace.EnterObjective("x");
            work(trace);
        }
        return profile.Take().Operations;
    }
}
