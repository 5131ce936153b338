using System.Text.Json.Nodes;
using PluginHost.Runs.Evaluation;

namespace PluginHost.Artifacts.Evaluations;

/// <summary>How two runs that were asked the same differ, by a paired bootstrap (Koehn 2004).</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Split">The split.</param>
/// <param name="First">Value of the first run.</param>
/// <param name="Second">Value of the second run.</param>
/// <param name="Low">Where the interval of 95 % of second - first begins.</param>
/// <param name="High">Where it ends.</param>
/// <param name="P">Two-sided p of 'there is no difference'.</param>
public sealed record PairedDifference(string Metric, string Split, double First, double Second, double Low, double High, double P)
{
    /// <summary>Second - first.</summary>
    public double Difference => Second - First;

    /// <summary>The differences of what both were asked.</summary>
    /// <param name="first">One run's results.</param>
    /// <param name="second">The other's.</param>
    public static IReadOnlyList<PairedDifference> Of(IReadOnlyList<DrawnResult> first, IReadOnlyList<DrawnResult> second)
    {
        var others = second.ToLookup(result => (result.Metric, result.Split, result.Asked, result.Draws.Count));
        return
        [
            .. from one in first
               let other = others[(one.Metric, one.Split, one.Asked, one.Draws.Count)].FirstOrDefault()
               where other is not null
               select Of(one, other),
        ];
    }

    /// <summary>The differences as reports have them.</summary>
    public static JsonArray ToJson(IEnumerable<PairedDifference> differences) => new([.. differences.Select(item => new JsonObject
    {
        ["metric"] = item.Metric,
        ["split"] = item.Split,
        ["first"] = item.First,
        ["second"] = item.Second,
        ["difference"] = item.Difference,
        ["low"] = item.Low,
        ["high"] = item.High,
        ["p"] = item.P,
    })]);

    private static PairedDifference Of(DrawnResult one, DrawnResult other)
    {
        double[] differences = [.. one.Draws.Zip(other.Draws, (a, b) => b - a)];
        var (low, high) = Bootstrap.Interval(differences);
        return new PairedDifference(one.Metric, one.Split, one.Value, other.Value, low, high, Bootstrap.PValue(differences));
    }
}

/// <summary>Two runs that were asked the same.</summary>
/// <param name="First">Name of the first run.</param>
/// <param name="Second">Name of the second.</param>
/// <param name="Differences">How they differ; empty when no question was put to both.</param>
public sealed record RunPair(string First, string Second, IReadOnlyList<PairedDifference> Differences);
