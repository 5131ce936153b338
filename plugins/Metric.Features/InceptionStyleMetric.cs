// Inception-style score (Salimans et al. 2016): exp of the mean KL(p(y|x) || p(y)), the mean over ten shuffled parts. There is no Inception here: the
// classes are the right answers of the task, and p(y|x) is what a trained run's text encoder makes of the answer x: softmax of scaled cosines, as CLIP
// classifies. From 1 (the same to everything, or undecided) to the number of classes.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using PluginHost.Sdk;

namespace Metric.Features;

/// <summary>Settings of <see cref="InceptionStyleMetric"/>.</summary>
/// <param name="Run">The trained run whose encoder gives the features.</param>
/// <param name="Classes">Classes at most.</param>
/// <param name="Splits">Parts.</param>
/// <param name="Scale">Multiplies cosines before the softmax.</param>
public sealed record InceptionStyleOptions(
    [property: Description("The trained run whose text encoder gives the features: its folder, its name, or 'latest'.")] string? Run = null,
    [property: Range(2, 1000), Description("Classes at most: the most frequent right answers of a task.")] int Classes = 100,
    [property: Range(1, 1000), Description("Shuffled parts whose scores are averaged.")] int Splits = 10,
    [property: Range(0.01, 1000.0), Description("What cosines are multiplied by before the softmax.")] double Scale = 100);

/// <summary>Whether answers are decided and of many kinds.</summary>
[Plugin("metric.inception-style", "Inception-style score of the answers over a trained run's features, one value per task.")]
[Input("answers", "text[N]")]
[Requires(Capability.EmbeddingGenerator, From = nameof(InceptionStyleOptions.Run))]
public sealed class InceptionStyleMetric(InceptionStyleOptions options) : IMediaMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<JudgedAnswer> answers, BuildContext context)
    {
        var features = new Features(context);
        return [.. answers.GroupBy(answer => answer.Prediction.Turn.Task).OrderBy(task => task.Key, StringComparer.Ordinal).Select(task => Score(task, features))];
    }

    private MetricValue Score(IGrouping<string, JudgedAnswer> task, Features features)
    {
        var classes = features.OfTexts(task.GroupBy(answer => answer.Prediction.RightAnswers()[0]).OrderByDescending(answer => answer.Count()).ThenBy(answer => answer.Key, StringComparer.Ordinal).Take(options.Classes).Select(answer => answer.Key));
        double[][] rows = [.. features.OfTexts(task.Select(answer => answer.Prediction.Text)).Select(said => Softmax([.. classes.Select(known => options.Scale * said.Zip(known, (a, b) => a * b).Sum())]))];
        var (mean, spread) = Of(rows, options.Splits);
        var signature = string.Create(CultureInfo.InvariantCulture, $"features:{features.Encoder}|classes:{classes.Length}|splits:{options.Splits}|std:{spread:0.000}");
        return new MetricValue($"inception-style-{features.Encoder}:{task.Key}", mean, signature) { Count = rows.Length, Bootstrapped = false };
    }

    /// <summary>Mean and standard deviation over parts.</summary>
    /// <param name="rows">p(y|x) of each x.</param>
    /// <param name="splits">Parts; fewer when there are fewer rows.</param>
    internal static (double Mean, double Spread) Of(double[][] rows, int splits)
    {
        var shuffled = rows.ToArray();
        new Random(0).Shuffle(shuffled);
        var parts = Math.Min(splits, shuffled.Length);
        var scores = Enumerable.Range(0, parts).Select(part => shuffled[(part * shuffled.Length / parts)..((part + 1) * shuffled.Length / parts)]).Select(Score).ToList();
        var mean = scores.Average();
        return (mean, Math.Sqrt(scores.Average(score => (score - mean) * (score - mean))));
    }

    private static double Score(double[][] rows)
    {
        var marginal = Enumerable.Range(0, rows[0].Length).Select(y => rows.Average(row => row[y])).ToArray();
        return Math.Exp(rows.Average(row => row.Select((p, y) => p > 0 ? p * Math.Log(p / marginal[y]) : 0).Sum()));
    }

    private static double[] Softmax(double[] logits)
    {
        var highest = logits.Max();
        double[] weights = [.. logits.Select(logit => Math.Exp(logit - highest))];
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}
