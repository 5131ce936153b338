using BenchmarkDotNet.Running;
using PluginHost.Benchmarks;

var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
if (summaries.Any(summary => summary.BenchmarksCases.Any(item => item.Descriptor.Type == typeof(PluginCallBenchmarks)))) Console.WriteLine(BoundaryCost.Measure());
