// ROUGE (Lin 2004): F1 of shared n-grams, and of the longest common subsequence; of several right answers the best counts. The value is the mean
// over answers. Words are not stemmed, and those of no script are thrown away.
using PluginHost.Sdk;

namespace Metric.Answers;

/// <summary>ROUGE-1, ROUGE-2 and ROUGE-L by task.</summary>
[Plugin("metric.rouge", "ROUGE-1, ROUGE-2 and ROUGE-L (F1), one value per task; Chinese by characters.")]
[Input("answers", "text[N]")]
public sealed class RougeMetric : ITextMetric
{
    private const string Signature = "f1|best-reference|tok:words+han|stem:no|L:sentence";

    private static readonly (string Name, Func<string[], string[], double> Score)[] Measures =
        [("rouge-1", (said, right) => OfGrams(said, right, 1)), ("rouge-2", (said, right) => OfGrams(said, right, 2)), ("rouge-l", OfSubsequence)];

    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions)
    {
        var values = new List<MetricValue>();
        foreach (var task in predictions.GroupBy(prediction => prediction.Turn.Task).OrderBy(task => task.Key, StringComparer.Ordinal))
        {
            var pairs = task.Select(item => (Said: Words.Of(item.Text), Right: item.RightAnswers().Select(Words.Of).ToArray())).ToList();
            foreach (var (name, score) in Measures)
            {
                double[] items = [.. pairs.Select(pair => pair.Right.Max(right => score(pair.Said, right)))];
                values.Add(new MetricValue($"{name}:{task.Key}", items.Average(), Signature) { Count = items.Length, Items = items });
            }
        }
        return values;
    }

    internal static double OfGrams(string[] said, string[] right, int n)
    {
        var (a, b) = (Words.Grams(said, n), Words.Grams(right, n));
        return F1(a.Sum(gram => Math.Min(gram.Value, b.GetValueOrDefault(gram.Key))), a.Values.Sum(), b.Values.Sum());
    }

    internal static double OfSubsequence(string[] said, string[] right)
    {
        var row = new int[right.Length + 1];
        foreach (var word in said)
            for (int j = 1, diagonal = 0; j <= right.Length; j++)
                (diagonal, row[j]) = (row[j], word == right[j - 1] ? diagonal + 1 : Math.Max(row[j], row[j - 1]));
        return F1(row[^1], said.Length, right.Length);
    }

    private static double F1(int shared, int said, int right) => shared == 0 ? 0 : 2.0 * shared / (said + right);
}
