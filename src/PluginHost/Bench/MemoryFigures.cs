using System.Text.Json.Nodes;
using PluginHost.Graph;
using PluginHost.Runs.Profiling;

namespace PluginHost.Bench;

/// <summary>Memory of training, in bytes.</summary>
/// <param name="Peak">The most that was resident, less what the process held before the graph was built.</param>
/// <param name="Resident">The most that was resident in all.</param>
/// <param name="Planned">What the plan had foreseen.</param>
/// <param name="Activations">The most that forward and backward passes held; null where it cannot be told.</param>
/// <param name="SlopeBytesPerStep">Growth of resident memory.</param>
internal sealed record MemoryFigures(long Peak, long Resident, PlanCost Planned, long? Activations, double SlopeBytesPerStep)
{
    private const double Megabyte = 1 << 20;

    public static MemoryFigures Of(GraphPlan plan, IReadOnlyList<double> resident, long before, long? activations) =>
        new(ProcessMemory.Peak - before, ProcessMemory.Peak, PlanCost.Of(plan), activations, Slope(resident));

    /// <summary>The slope of least squares.</summary>
    internal static double Slope(IReadOnlyList<double> values)
    {
        var (middle, mean) = ((values.Count - 1) / 2.0, values.Average());
        var spread = values.Select((_, i) => (i - middle) * (i - middle)).Sum();
        return spread == 0 ? 0 : values.Select((value, i) => (i - middle) * (value - mean)).Sum() / spread;
    }

    public JsonObject ToJson() => new()
    {
        ["peakMb"] = Megabytes(Peak),
        ["plannedMb"] = Megabytes(Planned.StateBytes + Planned.ActivationBytes),
        ["activationMb"] = Activations is { } kept ? Megabytes(kept) : null,
        ["plannedActivationMb"] = Megabytes(Planned.ActivationBytes),
        ["residentMb"] = Megabytes(Resident),
    };

    public override string ToString() => FormattableString.Invariant(
        $"memory: {Megabytes(Peak)} MB at the peak, {Megabytes(Planned.StateBytes + Planned.ActivationBytes)} planned (activations {(Activations is { } kept ? Megabytes(kept) : "unknown")}, {Megabytes(Planned.ActivationBytes)} planned); the process grows by {SlopeBytesPerStep / 1024:0.0} KB a step");

    private static double Megabytes(long bytes) => Math.Round(bytes / Megabyte, 1);
}
