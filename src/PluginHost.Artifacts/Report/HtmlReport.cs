using System.Globalization;
using PluginHost.Artifacts.Evaluations;
using PluginHost.Runs.Evaluation;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using Scriban;
using Scriban.Runtime;

namespace PluginHost.Artifacts.Report;

/// <summary>A run as one HTML page that needs no network: numbers, loss curves, and sample pictures with the model's answers beside the truth.</summary>
public static class HtmlReport
{
    private static readonly Lazy<Template> Page = new(() =>
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("PluginHost.Artifacts.Report.report.html")!;
        using var reader = new StreamReader(stream);
        return Template.Parse(reader.ReadToEnd());
    });

    public static string Render(
        string title, string plan, IReadOnlyList<StageResult> stages, IReadOnlyList<EvaluationResult> evaluations,
        IReadOnlyList<Example> examples, IReadOnlyList<Rejection> rejections)
    {
        var model = new ScriptObject
        {
            ["title"] = title,
            ["plan"] = plan,
            ["stages"] = stages.Select(stage => new ScriptObject
            {
                ["name"] = stage.Name,
                ["steps"] = stage.Steps,
                ["seconds"] = Number(stage.Seconds, "0.0"),
                ["speed"] = Number(stage.TokensPerSecond, "0"),
                ["first"] = Number(stage.FirstLoss, "0.0000"),
                ["last"] = Number(stage.LastLoss, "0.0000"),
                ["plot"] = stage.Losses.Count == 0 ? "" : LossPlot.Svg(stage),
            }).ToList(),
            ["evaluations"] = evaluations.Select(result => new ScriptObject
            {
                ["metric"] = result.Metric,
                ["split"] = result.Split,
                ["value"] = Number(result.Value, "0.000"),
                ["blind"] = result.Blind is { } blind ? Number(blind, "0.000") : "",
                ["shuffled"] = result.Shuffled is { } shuffled ? Number(shuffled, "0.000") : "",
                ["interval"] = EvaluationText.Interval(result),
                ["spread"] = result.Spread is { } spread ? "± " + Number(spread, "0.000") : "",
                ["count"] = result.Count,
                ["note"] = result.Note ?? "",
                ["width"] = Number(100 * Share(result, result.Value), "0.0"),
                ["blind_width"] = Number(100 * Share(result, result.Blind ?? 0), "0.0"),
            }).ToList(),
            ["videos"] = evaluations.Any(result => result.Shuffled is not null),
            ["examples"] = examples.Select(Show).ToList(),
            ["rejections"] = rejections.Take(100).Select(rejection => new ScriptObject { ["id"] = rejection.Id, ["reason"] = rejection.Reason }).ToList(),
            ["rejected"] = rejections.Count,
        };
        var context = new TemplateContext { LoopLimit = 0, LimitToString = 0 };
        context.PushGlobal(model);
        return Page.Value.Render(context);
    }

    private static ScriptObject Show(Example example) => new()
    {
        ["split"] = example.Split,
        ["id"] = example.Sample.Id,
        ["picture"] = example.Sample.Image is Picture picture ? MediaData.Of(picture).Uri : "",
        ["video"] = example.Sample.Video is Clip clip ? "data:image/png;base64," + Convert.ToBase64String(AnimatedPng.Write(clip)) : "",
        ["sound"] = example.Sample.Audio is Sound sound ? MediaData.Of(sound).Uri : "",
        ["answers"] = example.Answers.Select(answer => new ScriptObject
        {
            ["task"] = answer.Turn.Task,
            ["prompt"] = answer.Turn.Prompt,
            ["said"] = answer.Text,
            ["truth"] = answer.Turn.Answer,
            ["right"] = string.Equals(answer.Text, answer.Turn.Answer, StringComparison.OrdinalIgnoreCase),
        }).ToList(),
    };

    /// <summary>BLEU counts to 100, everything else to 1.</summary>
    private static double Share(EvaluationResult result, double value) =>
        Math.Clamp(result.Metric.StartsWith("bleu", StringComparison.Ordinal) ? value / 100 : value, 0, 1);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
