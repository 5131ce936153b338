using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs;
using PluginHost.Runs.Profiling;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Bench;

/// <summary>
/// Measures a project's training steps, through the trainer itself, on rows that are full. What they are held against (matrix products, a
/// model written straight against TorchSharp) takes its turn after each step, so that a machine that is busy slows all alike.
/// </summary>
internal sealed class TrainBench(HostConfig host, ProjectConfig project, BenchLength length, TextWriter output, CancellationToken cancellation) : IRunObserver
{
    private readonly TrainingProfile profile = new();
    private readonly List<double> resident = [];
    private readonly List<ThreadRounds> threads = [.. new[] { 1, get_num_threads() }.Distinct().Select(count => new ThreadRounds(count))];
    private StraightRun? straight;
    private GraphPlan plan = null!;
    private long residentBefore;
    private MemoryFigures memory = null!;

    private int FirstRound => BenchLength.Warmup + length.MemorySteps;

    /// <summary>Runs it.</summary>
    /// <exception cref="UserErrorException">The project has no stage to measure.</exception>
    public TrainBenchResult Run()
    {
        if (project.Stages.Count == 0) throw new UserErrorException($"{project.Path} has no stage to measure.");
        var steps = FirstRound + length.Rounds * threads.Count;
        var measured = project with
        {
            Stages = [project.Stages[0] with { Steps = steps, Tasks = [], Turns = 1, ValidateEvery = 0, CheckpointEvery = 0 }],
            Evaluate = [],
        };
        using var catalog = PluginCatalog.Discover(host);
        plan = GraphPlanner.Plan(measured, catalog.Installed);
        using var data = Data(measured);
        residentBefore = ProcessMemory.Resident;
        using var live = new LiveGraph(ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, project.Seed, NullLoggerFactory.Instance, cancellation)));
        using var stage = new SupervisedStage(live, 0, data, project.Seed, profile);
        try
        {
            stage.Run(null, new NoCheckpoints(), this, cancellation);
        }
        finally
        {
            straight?.Dispose();
        }
        return new TrainBenchResult(project.Name, plan.Stages[0].Config, [.. threads.Select(rounds => rounds.Figures())], memory);
    }

    void IRunObserver.Stepped(string stage, StepReport report)
    {
        var figures = profile.Take();
        if (report.Step == BenchLength.Warmup) BeginMemory();
        else if (report.Step > BenchLength.Warmup && report.Step <= FirstRound) resident.Add(ProcessMemory.Resident);
        if (report.Step < FirstRound) return;
        if (report.Step == FirstRound) EndMemory(figures);
        else Round(report.Step - FirstRound - 1, figures);
        // The next step runs on the next number of threads.
        set_num_threads(threads[(report.Step - FirstRound) % threads.Count].Threads);
    }

    private void BeginMemory()
    {
        output.WriteLine($"memory: {length.MemorySteps} steps");
        ProcessMemory.ResetPeak();
    }

    private void EndMemory(ProfileFigures figures)
    {
        memory = MemoryFigures.Of(plan, resident, residentBefore, figures.Activations);
        straight = StraightRun.For(plan);
        output.WriteLine($"speed: {length.Rounds} rounds on {string.Join(" and ", threads.Select(rounds => rounds.Threads))} threads");
    }

    private void Round(int turn, ProfileFigures figures)
    {
        var rounds = threads[turn % threads.Count];
        rounds.Add(figures, plan.Stages[0].Config, plan.Project.Data.TextLength);
        foreach (var shape in figures.Shapes.Append(MatrixShape.Square)) rounds.Add(shape, shape.Measure());
        if (straight is not null) rounds.Add(straight.Step());
        if (turn % threads.Count == threads.Count - 1) output.WriteLine($"  round {turn / threads.Count + 1} of {length.Rounds}: {rounds.Last}");
    }

    private Dataset Data(ProjectConfig measured)
    {
        return new Dataset(measured.Data, new FullRows(measured.Data, plan.Modalities), [], new RejectionLog(), CPU)
        {
            Modalities = plan.Modalities,
            Tokenizer = plan.Vocabulary > 0 ? new LetterTokenizer((int)plan.Vocabulary) : null,
        };
    }

    private sealed class NoCheckpoints : ICheckpoints
    {
        public void Save(TrainingState state, int keep)
        {
        }
    }
}

/// <summary>How long a benchmark runs.</summary>
/// <param name="Rounds">Rounds of the comparison, on each number of threads.</param>
/// <param name="MemorySteps">Steps over which resident memory is watched.</param>
internal sealed record BenchLength(int Rounds, int MemorySteps)
{
    /// <summary>Steps before anything counts: code is compiled, and the heap grows to its size, which takes it longest.</summary>
    public const int Warmup = 16;
}

/// <summary>The straight model at work on rows like those of the graph.</summary>
internal sealed class StraightRun : IDisposable
{
    private readonly StraightModel model;
    private readonly AdamW optimizer;
    private readonly Tensor ids;
    private readonly Tensor targets;

    private StraightRun(StraightShape shape, int batch, int tokens)
    {
        model = new StraightModel(shape, tokens);
        optimizer = new AdamW(model.named_parameters().Select(item => (item.name, item.parameter)));
        ids = randint(shape.Vocabulary, new long[] { batch, tokens }, dtype: ScalarType.Int64);
        targets = randint(shape.Vocabulary, new long[] { batch, tokens }, dtype: ScalarType.Int64);
    }

    /// <summary>One for a plan that is a decoder and nothing else, warmed up; else null.</summary>
    public static StraightRun? For(GraphPlan plan)
    {
        if (plan.Nodes.Count != 1 || plan.DecoderNode is not { } decoder) return null;
        var settings = decoder.Settings;
        string[] numbers = ["width", "layers", "heads", "keyValueHeads", "feedForward"];
        if (!numbers.All(name => settings.GetValueOrDefault(name) is not null)) return null;
        int Of(string name) => Convert.ToInt32(settings[name], CultureInfo.InvariantCulture);
        var shape = new StraightShape(plan.Vocabulary, Of("width"), Of("layers"), Of("heads"), Of("keyValueHeads"), Of("feedForward"), settings.GetValueOrDefault("tiedHead") is true);
        var run = new StraightRun(shape, plan.Stages[0].Config.Batch * plan.Stages[0].Config.Accumulate, plan.Project.Data.TextLength);
        run.Step();
        return run;
    }

    /// <summary>A training step, and the host's optimizer once more on the gradients of the same parameters.</summary>
    public StraightTimes Step()
    {
        var began = Stopwatch.GetTimestamp();
        model.Differentiate(ids, targets);
        var differentiated = Stopwatch.GetTimestamp();
        model.Update();
        var ended = Stopwatch.GetTimestamp();
        optimizer.Update([new GroupRate(0, 0)]);
        return new StraightTimes(
            Stopwatch.GetElapsedTime(began, ended).TotalSeconds, Stopwatch.GetElapsedTime(differentiated, ended).TotalSeconds, Stopwatch.GetElapsedTime(ended).TotalSeconds);
    }

    public void Dispose()
    {
        optimizer.Dispose();
        model.Dispose();
        ids.Dispose();
        targets.Dispose();
    }
}

/// <summary>Seconds of a straight training step, of TorchSharp's AdamW in it, and of the host's AdamW on the same gradients.</summary>
internal readonly record struct StraightTimes(double Step, double Optimizer, double HostOptimizer);
