// Accuracy of answers (Antol et al. 2015). With the answers of ten annotators the official measure: for each annotator left out,
// min(matches among the others / 3, 1), averaged. With fewer, an answer is right if it equals any right one.
using System.ComponentModel;
using PluginHost.Sdk;

namespace Metric.VqaAccuracy;

/// <summary>Settings of <see cref="VqaAccuracyMetric"/>.</summary>
/// <param name="Simple">Whether min(matches / 3, 1) over all annotators stands in for the official measure.</param>
public sealed record VqaAccuracyOptions(
    [property: Description("Whether min(matches / 3, 1) over all ten annotators stands in for the official leave-one-out; the values are named vqa-accuracy-simple.")] bool Simple = false);

/// <summary>Accuracy of answers to questions, overall and by task.</summary>
[Plugin("metric.vqa-accuracy", "Accuracy of answers after normalisation; leave-one-out when ten annotators answered.")]
[Input("answers", "text[N]")]
public sealed class VqaAccuracyMetric(VqaAccuracyOptions options) : ITextMetric
{
    private const int Annotators = 10;

    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions)
    {
        var scores = predictions.Select(prediction => (prediction.Turn.Task, Score: Score(prediction))).ToList();
        var name = options.Simple ? "vqa-accuracy-simple" : "vqa-accuracy";
        var values = new List<MetricValue> { Mean(name, [.. scores.Select(item => item.Score)]) };
        foreach (var task in scores.GroupBy(item => item.Task).OrderBy(task => task.Key, StringComparer.Ordinal))
            values.Add(Mean($"{name}:{task.Key}", [.. task.Select(item => item.Score)]));
        return values;
    }

    private MetricValue Mean(string name, double[] scores) =>
        new(name, scores.Length == 0 ? 0 : scores.Average(), options.Simple ? "simple: min(n/3, 1)" : "official: leave-one-out") { Count = scores.Length, Items = scores };

    private double Score(Prediction prediction)
    {
        var said = AnswerText.Normalise(prediction.Text);
        var right = prediction.RightAnswers();
        var matches = right.Count(answer => AnswerText.Normalise(answer) == said);
        if (right.Count < Annotators) return matches > 0 ? 1 : 0;
        if (options.Simple) return Math.Min(matches / 3.0, 1);
        var others = right.Count - matches;
        // Leaving a matching annotator out leaves matches - 1, leaving another out leaves all of them.
        return (matches * Math.Min((matches - 1) / 3.0, 1) + others * Math.Min(matches / 3.0, 1)) / right.Count;
    }
}
