using System.Diagnostics;
using System.Globalization;
using Fusion.Mid;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Benchmarks;

/// <summary>
/// The ratio of a pass through the plugin boundary to one linked statically. The two take turns, so that a machine that is busy or
/// warms up slows both alike: on a shared one, separate measurements differ by more than what is looked for.
/// </summary>
internal static class BoundaryCost
{
    private const int Warmup = 100;
    private const int Pairs = 1500;

    public static string Measure()
    {
        set_num_threads(1);
        using var plugin = new FusionPlugin();
        plugin.Load();
        var linked = (IFusion)new MidFusion(new MidOptions()).Build(FusionPlugin.Context());
        var (tokens, hidden) = (FusionPlugin.Tokens(), FusionPlugin.Hidden());
        var (direct, through) = (new List<double>(), new List<double>());
        for (var i = 0; i < Warmup + Pairs; i++)
        {
            var first = Time(i % 2 == 0 ? linked : plugin.Node, tokens, hidden);
            var second = Time(i % 2 == 0 ? plugin.Node : linked, tokens, hidden);
            if (i < Warmup) continue;
            direct.Add(i % 2 == 0 ? first : second);
            through.Add(i % 2 == 0 ? second : first);
        }
        return string.Create(CultureInfo.InvariantCulture,
            $"plugin boundary, {Pairs} pairs in turn: linked p50 {At(direct, 0.5):0.000} ms, through the boundary p50 {At(through, 0.5):0.000} ms, ratio {At(through, 0.5) / At(direct, 0.5):0.000} (p20 {At(through, 0.2) / At(direct, 0.2):0.000})");
    }

    private static double Time(IFusion fusion, Masked tokens, Tensor hidden)
    {
        var began = Stopwatch.GetTimestamp();
        using (NewDisposeScope()) FusionPlugin.Pass(fusion, tokens, hidden);
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static double At(List<double> times, double part) => times.Order().ElementAt((int)(part * times.Count));
}
