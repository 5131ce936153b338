using PluginHost.Sdk;

namespace Metric.Answers;

/// <summary>The part of answers that are, character by character, a right one.</summary>
[Plugin("metric.exact-match", "The part of answers that equal a right one exactly, white space around them aside; overall and by task.")]
[Input("answers", "text[N]")]
public sealed class ExactMatchMetric : ITextMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions) => [.. Words.OverallAndByTask("exact-match", predictions, prediction => prediction.Turn.Task, Share)];

    /// <summary>Whether an answer is a right one.</summary>
    internal static bool IsRight(Prediction prediction) => prediction.RightAnswers().Any(right => right.Trim() == prediction.Text.Trim());

    private static MetricValue Share(string name, IReadOnlyList<Prediction> predictions)
    {
        double[] items = [.. predictions.Select(prediction => IsRight(prediction) ? 1.0 : 0)];
        return new MetricValue(name, items.Length == 0 ? 0 : items.Average(), "case:mixed|punctuation:kept") { Count = items.Length, Items = items };
    }
}
