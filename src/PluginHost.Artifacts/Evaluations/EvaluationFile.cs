using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Runs.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Evaluations;

/// <summary>
/// What an evaluation found out, as <c>evaluation.json</c> in a run's folder and as reports have it: results with their intervals and signatures, all
/// answers beside the truth, and the bootstrap draws, from which <c>compare</c> makes pairs.
/// </summary>
public static class EvaluationFile
{
    private const int Digits = 6;

    /// <summary>Writes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">The run's name.</param>
    /// <param name="report">What was found out.</param>
    public static void Write(string path, string run, EvaluationReport report) => AtomicFile.WriteText(path, Of(run, report).ToJsonString(Compact));

    /// <summary>It as JSON.</summary>
    public static JsonObject Of(string run, EvaluationReport report) => new()
    {
        ["run"] = run,
        ["evaluations"] = RunRecord.Evaluations(report.Results),
        ["draws"] = new JsonArray([.. report.Results.Where(result => result.Draws.Count > 0).Select(result => new JsonObject
        {
            ["metric"] = result.Metric,
            ["split"] = result.Split,
            ["asked"] = result.Asked,
            ["lowerIsBetter"] = result.LowerIsBetter,
            ["values"] = new JsonArray([.. result.Draws.Select(draw => (JsonNode)Math.Round(draw, Digits))]),
        })]),
        ["answers"] = new JsonArray([.. report.Answers.Select(answer => new JsonObject
        {
            ["split"] = answer.Split,
            ["sample"] = answer.Open.SampleId,
            ["task"] = answer.Open.Turn.Task,
            ["prompt"] = answer.Open.Turn.Prompt,
            ["right"] = new JsonArray([.. answer.Open.Turn.AlsoRight.Prepend(answer.Open.Turn.Answer).Select(right => (JsonNode)right)]),
            ["said"] = answer.Open.Text,
            ["blind"] = answer.Blind,
            ["confidence"] = answer.Open.Confidence is { } confidence ? Math.Round(confidence, Digits) : null,
        })]),
        ["problems"] = new JsonArray([.. report.Problems.Select(problem => (JsonNode)problem)]),
    };

    /// <summary>The results with draws of a run that was evaluated.</summary>
    /// <exception cref="UserErrorException">The run has no such file, or it is damaged.</exception>
    public static IReadOnlyList<DrawnResult> Read(RunFolder run) => Read<IReadOnlyList<DrawnResult>>(run, root =>
    {
        var values = root["evaluations"]!.AsArray().ToLookup(item => ((string)item!["metric"]!, (string)item["split"]!), item => (double)item!["value"]!);
        return
        [
            .. from item in root["draws"]!.AsArray()
               let name = ((string)item["metric"]!, (string)item["split"]!)
               select new DrawnResult(name.Item1, name.Item2, values[name].First(), (string)item["asked"]!, (bool)item["lowerIsBetter"]!, [.. item["values"]!.AsArray().Select(value => (double)value!)]),
        ];
    });

    /// <summary>The results as a run's record has them.</summary>
    /// <exception cref="UserErrorException">The run has no such file, or it is damaged.</exception>
    public static JsonArray Results(RunFolder run) => Read(run, root => root["evaluations"]!.AsArray());

    private static T Read<T>(RunFolder run, Func<JsonNode, T> read)
    {
        if (!File.Exists(run.Evaluation)) throw new UserErrorException($"The run '{run.Name}' has no {Path.GetFileName(run.Evaluation)}; 'pluginhost evaluate {run.Name}' makes it.");
        try
        {
            return read(JsonNode.Parse(File.ReadAllText(run.Evaluation))!);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new UserErrorException($"{run.Evaluation}: this is no evaluation: {error.Message}; 'pluginhost evaluate {run.Name}' makes it again.");
        }
    }

    private static JsonSerializerOptions Compact { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>A result with its draws.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Split">The split.</param>
/// <param name="Value">The value.</param>
/// <param name="Asked">Names the questions.</param>
/// <param name="LowerIsBetter">Whether less is better.</param>
/// <param name="Draws">Values of bootstrap draws.</param>
public sealed record DrawnResult(string Metric, string Split, double Value, string Asked, bool LowerIsBetter, IReadOnlyList<double> Draws);
