// Distinct-n (Li et al. 2016), over the corpus: different n-grams / all n-grams of the answers. It needs no right answers.
using PluginHost.Sdk;

namespace Metric.Answers;

/// <summary>Distinct-1 and distinct-2 by task.</summary>
[Plugin("metric.distinct", "Distinct-1 and distinct-2 of the answers, over the corpus, one value per task.")]
[Input("answers", "text[N]")]
public sealed class DistinctMetric : ITextMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions) =>
    [
        .. from task in predictions.GroupBy(prediction => prediction.Turn.Task).OrderBy(task => task.Key, StringComparer.Ordinal)
           from n in (int[])[1, 2]
           select Distinct($"distinct-{n}:{task.Key}", [.. task.Select(prediction => Words.Of(prediction.Text))], n),
    ];

    private static MetricValue Distinct(string name, string[][] texts, int n)
    {
        var counts = texts.Select(words => Words.Grams(words, n)).ToList();
        var all = counts.Sum(grams => grams.Values.Sum());
        var different = counts.SelectMany(grams => grams.Keys).Distinct(StringComparer.Ordinal).Count();
        return new MetricValue(name, all == 0 ? 0 : (double)different / all, "corpus|tok:words+han") { Count = texts.Length, Bootstrapped = false };
    }
}
