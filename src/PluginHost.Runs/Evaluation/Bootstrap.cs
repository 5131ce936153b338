using System.Security.Cryptography;
using System.Text;
using PluginHost.Sdk;

namespace PluginHost.Runs.Evaluation;

/// <summary>
/// Percentile bootstrap (Efron 1979) over samples: all answers about a sample are drawn together, as they depend on each other. The draws are a function
/// of the questions alone, so those of two runs that were asked the same are pairs (Koehn 2004).
/// </summary>
public static class Bootstrap
{
    /// <summary>Draws of a mean.</summary>
    private const int Draws = 1000;

    /// <summary>Draws of a number of the corpus as a whole, which is computed anew for each.</summary>
    private const int CorpusDraws = 200;

    private const double Tail = 0.025; // on each side: intervals of 95 %

    /// <summary>A name for what was asked: equal for equal questions about equal samples.</summary>
    public static string KeyOf(IEnumerable<string> questions) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', questions))).AsSpan(0, 8));

    /// <summary>The value of each draw; empty when nothing can be said.</summary>
    /// <param name="value">What the metric said of all predictions.</param>
    /// <param name="predictions">The predictions.</param>
    /// <param name="key">What was asked.</param>
    /// <param name="corpus">Values of drawn predictions by name, draw by draw, for what is no mean.</param>
    internal static double[] Of(MetricValue value, IReadOnlyList<Prediction> predictions, string key, Lazy<IReadOnlyList<IReadOnlyDictionary<string, double>>> corpus)
    {
        if (!value.Bootstrapped) return [];
        if (value.Items.Count > 0) return OfMean(value.Items, SamplesOf(value, predictions), key);
        double[] draws = [.. corpus.Value.Where(draw => draw.ContainsKey(value.Name)).Select(draw => draw[value.Name])];
        return draws.Length == CorpusDraws ? WithoutBias(draws, value.Value) : [];
    }

    /// <summary>
    /// Draws with their bias taken off (Davison and Hinkley 1997, 2.2): what is no mean, such as a calibration error or a share of distinct words, differs in a draw's
    /// repeated samples by more than by chance, and an interval of such draws may miss the value itself. None goes further than draws and value did.
    /// </summary>
    internal static double[] WithoutBias(IReadOnlyList<double> draws, double value)
    {
        var (bias, least, most) = (draws.Average() - value, Math.Min(value, draws.Min()), Math.Max(value, draws.Max()));
        return [.. draws.Select(draw => Math.Clamp(draw - bias, least, most))];
    }

    /// <summary>The mean of each draw.</summary>
    /// <param name="items">What the mean is of.</param>
    /// <param name="samples">The sample that each belongs to; null: each to its own.</param>
    /// <param name="key">What was asked.</param>
    internal static double[] OfMean(IReadOnlyList<double> items, IReadOnlyList<string>? samples, string key)
    {
        var clusters = Enumerable.Range(0, items.Count).GroupBy(i => samples is null ? $"{i}" : samples[i])
            .Select(cluster => (Sum: cluster.Sum(i => items[i]), Count: cluster.Count())).ToArray();
        var random = RandomOf(key);
        var means = new double[Draws];
        for (var draw = 0; draw < Draws; draw++)
        {
            var (sum, count) = (0.0, 0);
            for (var i = 0; i < clusters.Length; i++)
            {
                var (s, n) = clusters[random.Next(clusters.Length)];
                (sum, count) = (sum + s, count + n);
            }
            means[draw] = sum / count;
        }
        return means;
    }

    /// <summary>What a metric says of each draw of predictions.</summary>
    internal static IReadOnlyList<IReadOnlyDictionary<string, double>> OfCorpus(IReadOnlyList<Prediction> predictions, string key, Func<IReadOnlyList<Prediction>, IReadOnlyList<MetricValue>> compute)
    {
        var clusters = predictions.GroupBy(prediction => prediction.SampleId).Select(cluster => cluster.ToArray()).ToArray();
        var random = RandomOf(key);
        return [.. Enumerable.Range(0, CorpusDraws).Select(_ => compute([.. clusters.SelectMany(_ => clusters[random.Next(clusters.Length)])]).ToDictionary(value => value.Name, value => value.Value))];
    }

    /// <summary>The interval that holds 95 % of the draws.</summary>
    public static (double Low, double High) Interval(IReadOnlyList<double> draws)
    {
        var sorted = draws.Order().ToArray();
        return (At(Tail), At(1 - Tail));

        double At(double part)
        {
            var place = part * (sorted.Length - 1);
            var below = (int)place;
            return sorted[below] + (place - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]);
        }
    }

    /// <summary>Two-sided p of 'there is no difference': how often the draws lie on the other side of 0, never 0 itself.</summary>
    public static double PValue(IReadOnlyList<double> differences) =>
        Math.Min(1, 2.0 * (1 + Math.Min(differences.Count(difference => difference <= 0), differences.Count(difference => difference >= 0))) / (differences.Count + 1));

    // A value of one task follows a colon.
    private static IReadOnlyList<string>? SamplesOf(MetricValue value, IReadOnlyList<Prediction> predictions)
    {
        if (value.Items.Count == predictions.Count) return [.. predictions.Select(prediction => prediction.SampleId)];
        var ofTask = predictions.Where(prediction => value.Name.EndsWith(":" + prediction.Turn.Task, StringComparison.Ordinal)).Select(prediction => prediction.SampleId).ToList();
        return ofTask.Count == value.Items.Count ? ofTask : null;
    }

    private static Random RandomOf(string key) => new(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
}
