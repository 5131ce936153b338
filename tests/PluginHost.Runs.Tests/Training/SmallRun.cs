using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Profiling;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Training;

/// <summary>Tests that seed or read torch's global generator take turns.</summary>
[CollectionDefinition("torch", DisableParallelization = true)]
public class TorchCollection;

/// <summary>A project of the fixture's small plugins over pictures of one colour each.</summary>
internal sealed class SmallRun : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("small").FullName;
    private readonly PluginCatalog catalog;
    private readonly Dataset data;

    public SmallRun(string graph, string stage)
    {
        var file = Path.Combine(folder, "small.json");
        File.WriteAllText(file, $$"""{ "name": "small", "data": "source.none", "graph": {{graph}}, "stages": [{{stage}}] }""");
        catalog = PluginCatalog.Discover([Path.Combine(typeof(SmallRun).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Fixtures").Value!, "training")]);
        Assert.Empty(catalog.Installed.Faults);
        var plan = GraphPlanner.Plan(ProjectFile.Read(file, []), catalog.Installed);
        Live = new LiveGraph(ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, 1, NullLoggerFactory.Instance, default)));
        data = new Dataset(plan.Project.Data, new Colours(), [], new RejectionLog(), CPU);
    }

    public LiveGraph Live { get; }

    /// <summary>The version of the fixture's plugins.</summary>
    public string Version => Live.Plan.Nodes[0].Description.Version;

    public MemoryCheckpoints Checkpoints { get; } = new();

    public Watcher Watched { get; } = new();

    /// <summary>Trains the stage.</summary>
    public StageResult Train(TrainingState? resume = null, TrainingProfile? profile = null, IWeightingPlugin? weighting = null, ITuningPlugin? tuning = null)
    {
        if (resume is not null)
            using (var use = Live.Acquire())
            using (no_grad())
                foreach (var (name, value) in use.Graph.Weights) value.copy_(resume.Tensors[name]);
        using var stage = new SupervisedStage(Live, 0, data, 1, profile, weighting, tuning);
        return stage.Run(resume, Checkpoints, Watched, default);
    }

    /// <summary>A weight's numbers.</summary>
    public float[] Weight(string name)
    {
        using var use = Live.Acquire();
        return use.Graph.Weights.Single(weight => weight.Name == name).Value.detach().data<float>().ToArray();
    }

    public void Dispose()
    {
        Live.Dispose();
        data.Dispose();
        catalog.Dispose();
        Directory.Delete(folder, true);
    }
}

/// <summary>Keeps every state, copied.</summary>
internal sealed class MemoryCheckpoints : ICheckpoints
{
    public List<TrainingState> States { get; } = [];

    public Exception? Failing { get; set; }

    public void Save(TrainingState state, int keep)
    {
        if (Failing is not null) throw Failing;
        States.Add(state with { Tensors = state.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.clone().DetachFromDisposeScope()) });
    }
}

internal sealed class Watcher : IRunObserver
{
    public List<StepReport> Steps { get; } = [];

    public List<int> Skips { get; } = [];

    void IRunObserver.Skipped(string stage, int step) => Skips.Add(step);

    void IRunObserver.Stepped(string stage, StepReport report) => Steps.Add(report);
}

internal sealed class Colours : ISource
{
    public IReadOnlyList<string> Splits { get; } = ["train", "validation"];

    public string Fingerprint => "colours";

    public int Count(string split) => 16;

    public Sample Read(string split, int index) => new($"{split}-{index}")
    {
        Image = new Picture(32, 32, [.. Enumerable.Range(0, 32 * 32 * 3).Select(i => (byte)(index * 13 + i % 3 * 60))]),
    };

    public void Dispose()
    {
    }
}
