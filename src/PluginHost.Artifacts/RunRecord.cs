using System.Text.Json.Nodes;
using PluginHost.Catalog;
using PluginHost.Graph;
using PluginHost.Runs.Evaluation;
using PluginHost.Runs.Training;
using PluginHost.Sdk;

namespace PluginHost.Artifacts;

/// <summary>What a run took.</summary>
/// <param name="Parameters">Trained parameters, those of objectives included.</param>
/// <param name="PeakMegabytes">The most memory that its process held, in 10⁶ bytes of resident memory.</param>
public sealed record RunCost(long Parameters, double PeakMegabytes);

/// <summary>Everything that ran, so that it can be run again: config, plugins, data, seeds, device and results.</summary>
public static class RunRecord
{
    /// <summary>The record of a run, as <c>run.json</c> holds it.</summary>
    public static JsonObject Of(
        string name, string status, GraphPlan plan, JsonNode project, long seed, string device, string dataFingerprint,
        DateTimeOffset started, RunCost cost, IReadOnlyList<Rejection> rejections, IReadOnlyList<StageResult> stages, IReadOnlyList<EvaluationResult> evaluations) => new()
        {
            ["name"] = name,
            ["status"] = status,
            ["started"] = started.ToString("O"),
            ["seed"] = seed,
            ["device"] = device,
            ["host"] = typeof(RunRecord).Assembly.GetName().Version?.ToString(3),
            ["data"] = dataFingerprint,
            ["plugins"] = new JsonArray([.. Plugins(plan).Select(plugin => new JsonObject
            {
                ["id"] = plugin.Id,
                ["version"] = plugin.Version,
                ["hash"] = plugin.Hash,
            })]),
            ["parameters"] = cost.Parameters,
            ["peakMb"] = cost.PeakMegabytes,
            ["rejected"] = new JsonArray([.. rejections.Select(rejection => new JsonObject { ["id"] = rejection.Id, ["reason"] = rejection.Reason })]),
            ["stages"] = Stages(stages),
            ["evaluations"] = Evaluations(evaluations),
            ["project"] = project.DeepClone(),
        };

    /// <summary>The stages as reports list them.</summary>
    public static JsonArray Stages(IEnumerable<StageResult> stages) => new([.. stages.Select(stage => new JsonObject
    {
        ["name"] = stage.Name,
        ["steps"] = stage.Steps,
        ["seconds"] = Math.Round(stage.Seconds, 3),
        ["tokensPerSecond"] = Math.Round(stage.TokensPerSecond, 1),
        ["dataWait"] = Math.Round(stage.DataWait, 4),
        ["firstLoss"] = stage.FirstLoss,
        ["lastLoss"] = stage.LastLoss,
        ["tuning"] = stage.Tuning,
        ["trainableParameters"] = stage.TrainableParameters,
        ["totalParameters"] = stage.TotalParameters,
        ["optimizerAndGradientMb"] = stage.OptimizerAndGradientMegabytes,
        ["peakMb"] = stage.PeakMegabytes,
        ["evaluations"] = Evaluations(stage.Evaluations),
    })]);

    /// <summary>The finished stages of a record, without their curves: what a resumed run has behind it.</summary>
    public static IEnumerable<StageResult> ReadStages(string path) =>
        from stage in JsonNode.Parse(File.ReadAllText(path))!["stages"]!.AsArray()
        select new StageResult(
            (string)stage["name"]!, (int)stage["steps"]!, (double)stage["seconds"]!, (double)stage["tokensPerSecond"]!, (double)stage["firstLoss"]!, (double)stage["lastLoss"]!, [], [])
        {
            DataWait = (double?)stage["dataWait"] ?? 0,
            Tuning = (string?)stage["tuning"],
            TrainableParameters = (long?)stage["trainableParameters"],
            TotalParameters = (long?)stage["totalParameters"],
            OptimizerAndGradientMegabytes = (double?)stage["optimizerAndGradientMb"],
            PeakMegabytes = (double?)stage["peakMb"],
            Evaluations = [.. (stage["evaluations"]?.AsArray() ?? []).Select(item => ReadEvaluation(item!))],
        };

    private static EvaluationResult ReadEvaluation(JsonNode item) => new(
        (string)item["metric"]!, (string)item["split"]!, (double)item["value"]!, (double?)item["blind"], (int)item["count"]!, (string?)item["note"])
    {
        Shuffled = (double?)item["shuffled"],
        Spread = (double?)item["spread"],
    };

    /// <summary>The evaluations as reports list them.</summary>
    public static JsonArray Evaluations(IEnumerable<EvaluationResult> evaluations) => new([.. evaluations.Select(result => new JsonObject
    {
        ["metric"] = result.Metric,
        ["split"] = result.Split,
        ["value"] = result.Value,
        ["low"] = result.Interval?.Low,
        ["high"] = result.Interval?.High,
        ["blind"] = result.Blind,
        ["shuffled"] = result.Shuffled,
        ["spread"] = result.Spread,
        ["count"] = result.Count,
        ["note"] = result.Note,
    })]);

    private static IEnumerable<PluginDescription> Plugins(GraphPlan plan) =>
        plan.Nodes.Select(node => node.Description)
            .Concat(plan.Stages.SelectMany(stage => stage.Objectives).Select(objective => objective.Node.Description))
            .Concat(plan.Evaluations.Select(evaluation => evaluation.Metric.Description))
            .Concat(plan.Media.Select(media => media.Description))
            .Concat(plan.Stages.Select(stage => stage.Weighting?.Description).OfType<PluginDescription>())
            .Concat(plan.Stages.Select(stage => stage.Tuning?.Plugin.Description).OfType<PluginDescription>())
            .Concat(plan.Transforms.Select(transform => transform.Plugin.Description))
            .Concat(plan.Sources.Select(source => source.Plugin.Description))
            .Concat(plan.Templates is null ? [] : [plan.Templates.Description])
            .Concat(plan.Tokenizer is null ? [] : [plan.Tokenizer.Description])
            .DistinctBy(plugin => plugin.Id).OrderBy(plugin => plugin.Id, StringComparer.Ordinal);
}
