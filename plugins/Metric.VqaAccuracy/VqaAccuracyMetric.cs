// Accuracy of answers (Antol et al. 2015). With the answers of ten annotators the official measure: for each annotator left out,
// min(matches among the others / 3, 1), averaged. With fewer, an answer is right if it equals any right one.
using PluginHost.Sdk;

namespace Metric.VqaAccuracy;

/// <summary>Accuracy of answers to questions, overall and by task.</summary>
[Plugin("metric.vqa-accuracy", "Accuracy of answers after normalisation; leave-one-out when ten annotators answered.")]
[Input("answers", "text[N]")]
public sealed class VqaAccuracyMetric : ITextMetric
{
    private const int Annotators = 10;

    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions)
    {
        var scores = predictions.Select(prediction => (prediction.Turn.Task, Score: Score(prediction))).ToList();
        var values = new List<MetricValue> { Mean("vqa-accuracy", [.. scores.Select(item => item.Score)]) };
        foreach (var task in scores.GroupBy(item => item.Task).OrderBy(task => task.Key, StringComparer.Ordinal))
            values.Add(Mean($"vqa-accuracy:{task.Key}", [.. task.Select(item => item.Score)]));
        return values;
    }

    private static MetricValue Mean(string name, double[] scores) =>
        new(name, scores.Length == 0 ? 0 : scores.Average()) { Count = scores.Length };

    private static double Score(Prediction prediction)
    {
        var said = AnswerText.Normalise(prediction.Text);
        string[] right = [prediction.Turn.Answer, .. prediction.Turn.AlsoRight];
        var matches = right.Count(answer => AnswerText.Normalise(answer) == said);
        if (right.Length < Annotators) return matches > 0 ? 1 : 0;
        var others = right.Length - matches;
        // Leaving a matching annotator out leaves matches - 1, leaving another out leaves all of them.
        return (matches * Math.Min((matches - 1) / 3.0, 1) + others * Math.Min(matches / 3.0, 1)) / right.Length;
    }
}
