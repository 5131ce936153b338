using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Comparison;

/// <summary>A run, or several seeds of one project, beside others. What is not known is null.</summary>
/// <param name="Project">The project's name.</param>
public sealed record ComparisonRow(string Project)
{
    /// <summary>The run's name; that of the last one when there are several seeds.</summary>
    public string? Run { get; init; }

    /// <summary>What <see cref="Accuracy"/> is a value of: the first metric of the project's evaluations unless another was asked for.</summary>
    public string? Metric { get; init; }

    /// <summary>The split that it was taken on.</summary>
    public string? Split { get; init; }

    /// <summary>The metric's value; the mean over seeds.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Standard deviation over seeds; null for a single one.</summary>
    public double? Spread { get; init; }

    /// <summary>The better of the same model with its media blanked and the most frequent answer of each task.</summary>
    public double? Blind { get; init; }

    /// <summary>Text tokens that the graph read in a second of training, over all stages.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>The most resident memory that the run's process held, in 10⁶ bytes.</summary>
    public double? PeakMb { get; init; }

    /// <summary>Seconds of training.</summary>
    public double? Seconds { get; init; }

    /// <summary>Trained parameters.</summary>
    public long? Parameters { get; init; }

    /// <summary>Parameters that a tuned stage trains, of all; null: the row is of a whole run.</summary>
    public long? Trained { get; init; }

    /// <summary>Gradients and moments of what a tuned stage trains, in 10⁶ bytes.</summary>
    public double? OptimizerAndGradientMb { get; init; }

    /// <summary>The seeds.</summary>
    public IReadOnlyList<long> Seeds { get; init; } = [];

    /// <summary>Value and blind control of each task.</summary>
    public IReadOnlyDictionary<string, (double Accuracy, double? Blind)> Tasks { get; init; } = new Dictionary<string, (double, double?)>();

    /// <summary>Why there are no figures.</summary>
    public string? Error { get; init; }

    /// <summary>The row of a run's record or report.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="report">What <c>run.json</c> or <c>report.json</c> holds.</param>
    /// <param name="metric">The metric to compare by; null: the first one that is not on the training split.</param>
    public static ComparisonRow Of(string project, JsonObject report, string? metric)
    {
        var evaluations = report["evaluations"]!.AsArray().Select(item => item!.AsObject()).ToList();
        var stages = report["stages"]!.AsArray().Select(item => (Seconds: (double)item!["seconds"]!, Speed: (double)item["tokensPerSecond"]!)).ToList();
        var seconds = stages.Sum(stage => stage.Seconds);
        var row = new ComparisonRow(project)
        {
            Run = (string?)report["run"] ?? (string?)report["name"],
            TokensPerSecond = seconds > 0 ? Math.Round(stages.Sum(stage => stage.Seconds * stage.Speed) / seconds, 1) : null,
            Seconds = Math.Round(seconds, 1),
            PeakMb = (double?)report["peakMb"],
            Parameters = (long?)report["parameters"],
            Seeds = report["seeds"] is JsonArray seeds ? [.. seeds.Select(seed => (long)seed!)] : [(long)report["seed"]!],
        };
        var judged = evaluations.Where(item => metric is null || (string?)item["metric"] == metric).OrderBy(item => (string?)item["split"] == Splits.Train).FirstOrDefault();
        if (judged is null)
        {
            var known = string.Join(", ", evaluations.Select(item => (string?)item["metric"]).Distinct());
            return row with { Error = metric is null ? $"nothing was evaluated: add a metric to 'evaluate', or run 'pluginhost evaluate {row.Run}'" : $"the project has no metric '{metric}'; it has {(known.Length == 0 ? "none" : known)}" };
        }
        var (name, split) = ((string)judged["metric"]!, (string)judged["split"]!);
        return row with
        {
            Metric = name,
            Split = split,
            Accuracy = (double)judged["value"]!,
            Spread = (double?)judged["spread"],
            Blind = (double?)judged["blind"],
            Tasks = evaluations.Where(item => (string?)item["split"] == split && ((string)item["metric"]!).StartsWith(name + ":", StringComparison.Ordinal))
                .DistinctBy(item => (string)item["metric"]!).ToDictionary(item => ((string)item["metric"]!)[(name.Length + 1)..], item => ((double)item["value"]!, (double?)item["blind"])),
        };
    }

    /// <summary>The rows as <c>--report</c> writes them.</summary>
    public static JsonObject ToJson(IEnumerable<ComparisonRow> rows) => new()
    {
        ["rows"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["project"] = row.Project,
            ["accuracy"] = row.Accuracy,
            ["blind"] = row.Blind,
            ["tokensPerSecond"] = row.TokensPerSecond,
            ["peakMb"] = row.PeakMb,
            ["run"] = row.Run,
            ["metric"] = row.Metric,
            ["split"] = row.Split,
            ["spread"] = row.Spread,
            ["seconds"] = row.Seconds,
            ["parameters"] = row.Parameters,
            ["trainedParameters"] = row.Trained,
            ["optimizerAndGradientMb"] = row.OptimizerAndGradientMb,
            ["seeds"] = new JsonArray([.. row.Seeds.Select(seed => (JsonNode)seed)]),
            ["tasks"] = new JsonObject(row.Tasks.Select(task => KeyValuePair.Create(task.Key, (JsonNode?)new JsonObject { ["accuracy"] = task.Value.Accuracy, ["blind"] = task.Value.Blind }))),
            ["error"] = row.Error,
        })]),
    };
}
