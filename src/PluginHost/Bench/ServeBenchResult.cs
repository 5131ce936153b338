using System.Text.Json.Nodes;
using PluginHost.Commands;

namespace PluginHost.Bench;

/// <summary>One round: what memory gives, and tokens a second of 1, 8 and 16 sequences, bare and served.</summary>
internal sealed record ServeRound(double Bandwidth, IReadOnlyList<double> Bare, IReadOnlyList<double> Served);

/// <summary>What <c>pluginhost bench serve</c> found.</summary>
/// <param name="Project">What was served.</param>
/// <param name="WeightBytes">What a step reads.</param>
/// <param name="Rounds">Streams beside the bare loop.</param>
/// <param name="Idle">Times to the first token, one request at a time.</param>
/// <param name="Capacity">Requests a second at most.</param>
/// <param name="Half">Requests at half of that.</param>
/// <param name="Twice">Requests at twice that.</param>
/// <param name="Many">Requests over which memory was watched.</param>
/// <param name="SlopeBytes">Growth of resident memory a request.</param>
/// <param name="Leaked">Requests that still had or wanted a slot when nobody asked any more.</param>
internal sealed record ServeBenchResult(
    string Project, long WeightBytes, IReadOnlyList<ServeRound> Rounds, IReadOnlyList<TimeSpan> Idle, double Capacity, IReadOnlyList<ServedStream> Half, IReadOnlyList<ServedStream> Twice,
    IReadOnlyList<ServedStream> Many, double SlopeBytes, int Leaked)
{
    private double IdleP50 => Quantile(Idle.Select(time => time.TotalMilliseconds), 0.5);

    private double HalfP99 => Quantile(Answered(Half), 0.99);

    private double TwiceP99 => Quantile(Answered(Twice), 0.99);

    private double Rejected => Twice.Count(stream => stream.Status == 429) / (double)Math.Max(1, Twice.Count);

    private int Failed => Leaked + Half.Concat(Many).Count(stream => !stream.Whole) + Twice.Count(stream => !stream.Whole && stream.Status != 429);

    /// <summary>The report. Ratios are medians over rounds, each of one round's own numbers.</summary>
    public JsonObject ToJson() => new()
    {
        ["project"] = Project,
        ["weightMegabytes"] = Math.Round(WeightBytes / 1e6, 2),
        ["singleTokensPerSecond"] = Math.Round(Median(round => round.Served[0]), 1),
        ["eightTokensPerSecond"] = Math.Round(Median(round => round.Served[1]), 1),
        ["sixteenTokensPerSecond"] = Math.Round(Median(round => round.Served[2]), 1),
        ["eightRatio"] = Math.Round(Median(round => round.Served[1] / round.Served[0]), 3),
        ["sixteenRatio"] = Math.Round(Median(round => round.Served[2] / round.Served[0]), 3),
        ["bandwidthFraction"] = Math.Round(Fraction, 4),
        ["httpOverhead"] = Math.Round(Overhead, 4),
        ["ttftIdleP50Ms"] = Math.Round(IdleP50, 2),
        ["ttftHalfLoadP99Ms"] = Math.Round(HalfP99, 2),
        ["ttftDoubleLoadP99Ms"] = Math.Round(TwiceP99, 2),
        ["capacityRequestsPerSecond"] = Math.Round(Capacity, 2),
        ["rejectedAtDoubleLoad"] = Math.Round(Rejected, 4),
        ["failed"] = Failed,
        ["requests"] = Many.Count,
        ["residentSlopeKbPerRequest"] = Math.Round(SlopeBytes / 1024, 3),
    };

    public void Write(TextWriter output)
    {
        output.WriteLine();
        var table = new TextTable("", "tokens/s", "against one", "bare");
        foreach (var (name, i) in new[] { "1 stream", "8 streams", "16 streams" }.Select((name, i) => (name, i)))
            table.Add(name, FigureText.Number(Median(round => round.Served[i])), FigureText.Times(Median(round => round.Served[i] / round.Served[0])), FigureText.Number(Median(round => round.Bare[i])));
        table.Write(output);
        output.WriteLine(FormattableString.Invariant($"one sequence reads weights at {Fraction:0.0%} of what memory gives; HTTP and batching cost {Overhead:0.0%} of 8 streams"));
        output.WriteLine(FormattableString.Invariant($"first token: {IdleP50:0.0} ms at rest (median), {HalfP99:0.0} ms at half load (99 %), {TwiceP99:0.0} ms at twice the load (99 %), where {Rejected:0.0%} are refused"));
        output.WriteLine(FormattableString.Invariant($"{Many.Count} requests, one in twenty leaving: {Failed} failed, memory grows by {SlopeBytes / 1024:0.00} KB a request"));
    }

    private double Fraction => Median(round => round.Bare[0] * WeightBytes / round.Bandwidth);

    private double Overhead => Median(round => 1 - round.Served[1] / round.Bare[1]);

    private double Median(Func<ServeRound, double> of) => Quantile(Rounds.Select(of), 0.5);

    private static IEnumerable<double> Answered(IReadOnlyList<ServedStream> streams) => streams.Where(stream => stream.Status == 200).Select(stream => stream.FirstToken.TotalMilliseconds);

    private static double Quantile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[(int)Math.Round(part * (sorted.Count - 1))];
    }
}
