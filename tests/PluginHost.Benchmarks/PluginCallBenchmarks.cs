using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Fusion.Mid;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Benchmarks;

/// <summary>One pass of the same fusion, linked statically and through the plugin boundary.</summary>
[Config(typeof(Calls))]
public class PluginCallBenchmarks
{
    private readonly FusionPlugin plugin = new();
    private readonly IFusion linked = (IFusion)new MidFusion(new MidOptions()).Build(FusionPlugin.Context());
    private Masked tokens = null!;
    private Tensor hidden = null!;

    [GlobalSetup]
    public void Load()
    {
        set_num_threads(1); // what the other cores do is none of a call's business
        plugin.Load();
        (tokens, hidden) = (FusionPlugin.Tokens(), FusionPlugin.Hidden());
    }

    [GlobalCleanup]
    public void Dispose() => plugin.Dispose();

    [Benchmark(Baseline = true, Description = "call: linked statically")]
    public void Linked() => Pass(linked);

    [Benchmark(Description = "call: through the plugin boundary")]
    public void ThroughPlugin() => Pass(plugin.Node);

    private void Pass(IFusion fusion)
    {
        using var scope = NewDisposeScope();
        FusionPlugin.Pass(fusion, tokens, hidden);
    }

    private sealed class Calls : ManualConfig
    {
        public Calls()
        {
            AddJob(Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance).WithWarmupCount(5).WithIterationCount(60));
            AddColumn(StatisticColumn.P50);
        }
    }
}
