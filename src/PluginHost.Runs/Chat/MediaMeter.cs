using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PluginHost.Runs.Chat;

/// <summary>How long media take on their way into an answer: <c>pluginhost.modality.duration</c> in seconds, by modality (<c>fusion</c>: encoders and fusion of a request together).</summary>
internal static class MediaMeter
{
    private static readonly Meter Meter = new("PluginHost.Runs");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "pluginhost.modality.duration", "s", "Time to decode a medium, or to encode and fuse all of a request", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] });

    /// <summary>Notes what has taken since a moment.</summary>
    public static void Record(string modality, long began) => Duration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, new KeyValuePair<string, object?>("modality", modality));
}
