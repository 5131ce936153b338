using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Bench;
using PluginHost.Catalog;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Benchmarks;

/// <summary>
/// A training step of the decoder of host-config/bench.json: from its plugin with the host's AdamW, and written straight against TorchSharp.
/// <c>pluginhost bench train</c> measures the same through the whole trainer, and lets the two take turns.
/// </summary>
[Config(typeof(Steps))]
public class TrainingStepBenchmarks
{
    private const long Rows = 8, Tokens = 256;

    private static readonly StraightShape Shape = new(8192, 384, 6, 6, 6, 1024, TiedHead: false);

    private readonly PluginCatalog catalog = PluginCatalog.Discover(
        [typeof(TrainingStepBenchmarks).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Plugins").Value!]);
    private StraightModel straight = null!;
    private IDecoder decoder = null!;
    private IObjective objective = null!;
    private AdamW optimizer = null!;
    private TextBatch text = null!;

    [GlobalSetup]
    public void Build()
    {
        var ids = randint(Shape.Vocabulary, new[] { Rows, Tokens }, dtype: ScalarType.Int64);
        var positions = arange(Tokens, dtype: ScalarType.Int64).unsqueeze(0).expand(Rows, Tokens);
        text = new TextBatch(ids, ones_like(ids).@bool(), ones_like(ids), positions, ids.roll(-1, 1), ones(Rows, Tokens));
        straight = new StraightModel(Shape, Tokens);
        decoder = (IDecoder)Node("decoder.causal", new Dictionary<string, object?>
        {
            ["width"] = (int)Shape.Width,
            ["layers"] = Shape.Layers,
            ["heads"] = (int)Shape.Heads,
            ["keyValueHeads"] = (int)Shape.KeyValueHeads,
            ["feedForward"] = (int)Shape.FeedForward,
            ["tiedHead"] = Shape.TiedHead,
        });
        objective = (IObjective)Node("objective.next-token", []);
        optimizer = new AdamW(((nn.Module)decoder).named_parameters().Select(item => (item.name, item.parameter)));
    }

    [GlobalCleanup]
    public void Dispose() => catalog.Dispose();

    [Benchmark(Baseline = true, Description = "training step: straight TorchSharp")]
    public void Straight()
    {
        straight.Differentiate(text.Ids, text.Targets);
        straight.Update();
    }

    [Benchmark(Description = "training step: plugin and the host's AdamW")]
    public void Plugin()
    {
        using var scope = NewDisposeScope();
        var loss = objective.Sum([decoder.Forward(text, null, null), text]) / objective.Count([null, text]);
        optimizer.Accumulate(optimizer.Gradients(loss));
        optimizer.Step(3e-4, 0.1, 1);
    }

    private IGraphNode Node(string id, Dictionary<string, object?> settings) => catalog.Lease(id, settings).As<INodePlugin>().Build(new BuildContext
    {
        Device = CPU,
        Logger = NullLogger.Instance,
        ContentFolder = "",
        Dimensions = new Dictionary<string, long> { ["V"] = Shape.Vocabulary },
    });

    private sealed class Steps : ManualConfig
    {
        public Steps()
        {
            AddJob(Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance).WithStrategy(RunStrategy.Monitoring).WithWarmupCount(2).WithIterationCount(15)
                .WithInvocationCount(1).WithUnrollFactor(1));
            AddColumn(StatisticColumn.P50);
        }
    }
}
