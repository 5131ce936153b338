using System.Globalization;
using System.Text;
using PluginHost.Runs.Evaluation;

namespace PluginHost.Artifacts.Evaluations;

/// <summary>Results as Markdown.</summary>
public static class EvaluationText
{
    private const int Answers = 40;

    public static string Markdown(string run, EvaluationReport report)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"# Evaluation of {run}\n\n");
        text.Append("| metric | split | value | 95 % interval | blind | n | signature |\n|---|---|---:|---|---:|---:|---|\n");
        foreach (var result in report.Results)
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(result.Metric)} | {Cell(result.Split)} | {result.Value:0.000} | {Interval(result)} | {result.Blind?.ToString("0.000", CultureInfo.InvariantCulture)} | {result.Count} | {Cell(result.Note ?? "")} |\n");
        text.Append("\nBlind: the better of the same model with its media blanked and the most frequent answer of each task.\n");
        foreach (var problem in report.Problems) text.Append(CultureInfo.InvariantCulture, $"\nLeft out: {problem}\n");
        if (report.Answers.Count == 0) return text.ToString();
        text.Append(CultureInfo.InvariantCulture, $"\n## Answers\n\nThe first {Math.Min(Answers, report.Answers.Count)} of {report.Answers.Count}.\n\n| sample | task | question | said | right | blind |\n|---|---|---|---|---|---|\n");
        foreach (var (_, said, blind) in report.Answers.Take(Answers))
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(said.SampleId)} | {Cell(said.Turn.Task)} | {Cell(said.Turn.Prompt)} | {Cell(said.Text)} | {Cell(said.Turn.Answer)} | {Cell(blind)} |\n");
        return text.ToString();
    }

    /// <summary>The interval of a result; empty where there is none.</summary>
    public static string Interval(EvaluationResult result) =>
        result.Interval is { } interval ? string.Create(CultureInfo.InvariantCulture, $"{interval.Low:0.000} to {interval.High:0.000}") : "";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ').Replace("<", "&lt;", StringComparison.Ordinal);
}
