// Self-BLEU (Zhu et al. 2018): the mean BLEU of each answer held against all the others of its task; 100 when a model says the same to everything. It
// needs no right answers.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Metric.Bleu;

/// <summary>Settings of <see cref="SelfBleuMetric"/>.</summary>
/// <param name="Answers">Answers of a task that are looked at.</param>
public sealed record SelfBleuOptions(
    [property: Range(2, 10_000), Description("Answers of a task that are looked at, the first ones: each is compared with all the others.")] int Answers = 300);

/// <summary>How alike answers are, by task.</summary>
[Plugin("metric.self-bleu", "Self-BLEU of the answers, one value per task: how alike they are; less is more diverse.")]
[Input("answers", "text[N]")]
public sealed class SelfBleuMetric(SelfBleuOptions options) : ITextMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions) =>
        [.. predictions.GroupBy(prediction => prediction.Turn.Task, prediction => prediction.Text).Where(task => task.Count() > 1).OrderBy(task => task.Key, StringComparer.Ordinal).Select(Score)];

    private MetricValue Score(IGrouping<string, string> task)
    {
        var tokenize = BleuTokenizer.IsMostlyChinese(task) ? BleuTokenize.Zh : BleuTokenize.Mteval13a;
        string[][] texts = [.. task.Take(options.Answers).Select(text => BleuTokenizer.Split(text, tokenize))];
        // Each against the others: an answer that somebody else gave too has itself among them.
        var scores = texts.Select((text, i) =>
        {
            var statistics = new BleuStatistics();
            statistics.Add(text, [.. texts.Where((_, other) => other != i).DistinctBy(other => string.Join(' ', other), StringComparer.Ordinal)]);
            return statistics.Score(BleuSmoothing.Exp, effectiveOrder: true);
        });
        return new MetricValue($"self-bleu:{task.Key}", scores.Average(), $"answers:{texts.Length}|eff:yes|tok:{(tokenize == BleuTokenize.Zh ? "zh" : "13a")}|smooth:exp")
        {
            Count = texts.Length,
            Bootstrapped = false,
            LowerIsBetter = true,
        };
    }
}
