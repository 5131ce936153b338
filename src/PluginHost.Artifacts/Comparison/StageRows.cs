using System.Text.Json.Nodes;

namespace PluginHost.Artifacts.Comparison;

/// <summary>The rows of a run: one for each of its stages that has been rated by itself, such as several tunings of one model; one for the run where none has.</summary>
public static class StageRows
{
    /// <summary>The rows of a run folder.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="metric">The metric to compare by; null: the project's first.</param>
    public static IReadOnlyList<ComparisonRow> Of(RunFolder folder, string? metric)
    {
        var whole = ComparisonRow.Of(folder, metric);
        if (whole.Error is not null) return [whole];
        return [.. Of(whole.Project, ComparisonRow.ReadRecord(folder), metric).Select(row => row with { Run = folder.Name })];
    }

    /// <summary>The rows of a run's record or report.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="report">What <c>run.json</c> or <c>report.json</c> holds.</param>
    /// <param name="metric">The metric to compare by; null: the first one that is not on the training split.</param>
    public static IReadOnlyList<ComparisonRow> Of(string project, JsonObject report, string? metric)
    {
        var rated = report["stages"]!.AsArray().Select(stage => stage!.AsObject()).Where(stage => stage["evaluations"] is JsonArray { Count: > 0 }).ToList();
        return rated.Count == 0 ? [ComparisonRow.Of(project, report, metric)] : [.. rated.Select(stage => OfStage(project, stage, report, metric))];
    }

    // A stage is a run of one stage.
    private static ComparisonRow OfStage(string project, JsonObject stage, JsonObject report, string? metric)
    {
        var alone = report.DeepClone().AsObject();
        alone["stages"] = new JsonArray(stage.DeepClone());
        foreach (var (key, from) in new[] { ("evaluations", "evaluations"), ("peakMb", "peakMb"), ("parameters", "totalParameters") }) alone[key] = stage[from]?.DeepClone();
        return ComparisonRow.Of($"{project}/{(string?)stage["name"]}", alone, metric) with
        {
            Trained = (long?)stage["trainableParameters"],
            OptimizerAndGradientMb = (double?)stage["optimizerAndGradientMb"],
        };
    }
}
