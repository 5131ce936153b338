using System.Globalization;
using PluginHost.Config;
using PluginHost.Runs.Profiling;

namespace PluginHost.Bench;

/// <summary>What the rounds on one number of threads have shown.</summary>
internal sealed class ThreadRounds(int threads)
{
    private readonly List<ProfileFigures> steps = [];
    private readonly List<StraightTimes> straight = [];
    private readonly Dictionary<MatrixShape, List<double>> products = [];

    public int Threads => threads;

    /// <summary>The last round, for a person to read.</summary>
    public string Last => string.Create(CultureInfo.InvariantCulture,
        $"step {steps[^1].Seconds * 1000:0} ms{(straight.Count > 0 ? $", straight {straight[^1].Step * 1000:0} ms" : "")}");

    private long Tokens { get; set; }

    public void Add(ProfileFigures step, StageConfig stage, int tokens)
    {
        steps.Add(step);
        Tokens = (long)stage.Batch * stage.Accumulate * tokens;
    }

    public void Add(StraightTimes step) => straight.Add(step);

    public void Add(MatrixShape shape, double operationsPerSecond)
    {
        if (!products.TryGetValue(shape, out var list)) products[shape] = list = [];
        list.Add(operationsPerSecond);
    }

    /// <summary>Medians and their ratios.</summary>
    public ThreadFigures Figures()
    {
        double Of(Func<ProfileFigures, double> what) => Median(steps.Select(what));
        var step = Of(item => item.Seconds);
        var nodes = steps[0].Nodes.Select((node, i) => node with { Forward = Of(item => item.Nodes[i].Forward), Backward = Of(item => item.Nodes[i].Backward) }).ToArray();
        return new ThreadFigures
        {
            Threads = threads,
            Gemm = products.Values.Max(Median),
            Model = steps[0].Operations / step,
            HostTokens = Tokens / step,
            StraightTokens = straight.Count > 0 ? Tokens / Median(straight.Select(item => item.Step)) : null,
            AdamWSpeedup = straight.Count > 0 ? Median(straight.Select(item => item.Optimizer)) / Median(straight.Select(item => item.HostOptimizer)) : null,
            Step = step,
            OptimizerShare = Of(item => item.Optimizer) / step,
            DataWaitShare = Of(item => item.DataWait) / step,
            BoundaryShare = Of(item => item.Rest) / step,
            Nodes = nodes,
        };
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>Figures on one number of threads; speeds are a second's, times seconds.</summary>
internal sealed record ThreadFigures
{
    public required int Threads { get; init; }

    /// <summary>Operations a second of the best of the matrix products.</summary>
    public required double Gemm { get; init; }

    /// <summary>Operations a second of the model in a training step.</summary>
    public required double Model { get; init; }

    public double Utilisation => Model / Gemm;

    public required double HostTokens { get; init; }

    /// <summary>Null where there is no straight model to compare with.</summary>
    public required double? StraightTokens { get; init; }

    /// <summary>How many times as long TorchSharp's AdamW takes as the host's, on the same parameters and gradients.</summary>
    public required double? AdamWSpeedup { get; init; }

    public required double Step { get; init; }

    public required double OptimizerShare { get; init; }

    public required double DataWaitShare { get; init; }

    /// <summary>Boundary of the plugins, graph and bookkeeping.</summary>
    public required double BoundaryShare { get; init; }

    public required IReadOnlyList<NodeFigures> Nodes { get; init; }
}
