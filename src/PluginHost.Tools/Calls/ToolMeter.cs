using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PluginHost.Tools.Calls;

/// <summary>Counts the calls of tools: how they end and how long they take, tool by tool.</summary>
public sealed class ToolMeter : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "PluginHost.Tools";

    private static readonly double[] Bounds = [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly Meter meter = new(Name);
    private readonly Histogram<double> duration;
    private readonly Counter<long> calls;

    /// <summary>Makes the instruments.</summary>
    public ToolMeter()
    {
        duration = meter.CreateHistogram("gen_ai.tool.call.duration", "s", "Time of a tool's call", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds });
        calls = meter.CreateCounter<long>("pluginhost.tool.calls", "{call}", "Calls of tools by how they ended");
    }

    internal void Record(string tool, ToolOutcome outcome)
    {
        var tags = new TagList { { "gen_ai.tool.name", tool }, { "outcome", NameOf(outcome.Status) } };
        calls.Add(1, tags);
        duration.Record(outcome.Duration.TotalSeconds, tags);
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();

    /// <summary>How an ending is written.</summary>
    public static string NameOf(ToolStatus status) => status switch
    {
        ToolStatus.Done => "done",
        ToolStatus.Invalid => "invalid",
        ToolStatus.Unapproved => "unapproved",
        ToolStatus.Unavailable => "unavailable",
        ToolStatus.Late => "late",
        ToolStatus.Refused => "refused",
        _ => "failed",
    };
}
