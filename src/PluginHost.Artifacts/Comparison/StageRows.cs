using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Artifacts.Evaluations;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Comparison;

/// <summary>The rows of a run: one for each of its stages that has been rated by itself, such as several tunings of one model; one for the run where none has.</summary>
public static class StageRows
{
    /// <summary>The rows of a run folder; one that says why, when the run has not come to its end.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="metric">The metric to compare by; null: the project's first.</param>
    /// <exception cref="UserErrorException">The run's record or evaluation is damaged.</exception>
    public static IReadOnlyList<ComparisonRow> Of(RunFolder folder, string? metric)
    {
        if (!File.Exists(folder.Record)) return [new ComparisonRow(folder.Name) { Run = folder.Name, Error = $"run '{folder.Name}' was stopped before it began to train; it has no record" }];
        try
        {
            var record = JsonNode.Parse(File.ReadAllText(folder.Record))!.AsObject();
            var project = (string?)record["project"]?["name"] ?? folder.Name;
            if ((string?)record["status"] is var status && status != "finished")
                return [new ComparisonRow(project) { Run = folder.Name, Error = $"run '{folder.Name}' is not finished (its status is '{status}'); 'pluginhost run --resume {folder.Name}' goes on with it" }];
            if (File.Exists(folder.Evaluation)) Add(EvaluationFile.Results(folder), record["evaluations"]!.AsArray());
            return [.. Of(project, record, metric).Select(row => row with { Run = folder.Name })];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new UserErrorException($"{folder.Record}: this is no run record: {error.Message}");
        }
    }

    // What 'pluginhost evaluate' has found out since the training.
    private static void Add(JsonArray later, JsonArray evaluations)
    {
        var known = evaluations.Select(Name).ToHashSet();
        foreach (var item in later)
            if (!known.Contains(Name(item))) evaluations.Add(item!.DeepClone());

        static (string?, string?) Name(JsonNode? item) => ((string?)item!["metric"], (string?)item["split"]);
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
