using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace PluginHost.Benchmarks;

/// <summary>200 lives of a plugin: loaded and built, trained for a few steps, unloaded until its code is out of memory.</summary>
[Config(typeof(Cycles))]
public class PluginCycleBenchmarks
{
    private readonly FusionPlugin plugin = new();

    [IterationSetup(Target = nameof(Unload))]
    public void LoadAndTrain()
    {
        plugin.Load();
        plugin.Train();
    }

    [IterationCleanup(Target = nameof(Load))]
    public void TrainAndUnload()
    {
        plugin.Train();
        plugin.Unload();
    }

    [GlobalCleanup]
    public void Dispose() => plugin.Dispose();

    [Benchmark(Description = "load: first lease to built node")]
    public void Load() => plugin.Load();

    [Benchmark(Description = "unload: dispose to collected")]
    public void Unload() => plugin.Unload();

    private sealed class Cycles : ManualConfig
    {
        public Cycles()
        {
            AddJob(Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance).WithStrategy(RunStrategy.Monitoring).WithWarmupCount(5).WithIterationCount(200)
                .WithInvocationCount(1).WithUnrollFactor(1));
            AddColumn(StatisticColumn.P50, StatisticColumn.P95);
        }
    }
}
