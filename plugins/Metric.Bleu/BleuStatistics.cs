// BLEU (Papineni et al. 2002) as in sacreBLEU (Post 2018): BP · exp(mean log p_n), n = 1..4, over the counts of the whole corpus.
namespace Metric.Bleu;

/// <summary>Counts of matching n-grams over a corpus.</summary>
internal sealed class BleuStatistics
{
    private const int Order = 4;
    private readonly double[] matches = new double[Order];
    private readonly double[] totals = new double[Order];
    private long saidLength;
    private long rightLength;

    /// <summary>Adds a sentence and its references.</summary>
    public void Add(string[] said, string[][] right)
    {
        saidLength += said.Length;
        // The reference nearest in length, the shorter one of two.
        rightLength += right.Select(reference => reference.Length)
            .OrderBy(length => Math.Abs(length - said.Length)).ThenBy(length => length).First();
        for (var n = 1; n <= Order; n++)
        {
            var counts = Count(said, n);
            var references = right.Select(reference => Count(reference, n)).ToArray();
            foreach (var (gram, count) in counts)
            {
                totals[n - 1] += count;
                matches[n - 1] += Math.Min(count, references.Max(reference => reference.GetValueOrDefault(gram)));
            }
        }
    }

    /// <summary>The score, 0 to 100.</summary>
    /// <param name="smoothing">What stands in for a precision of zero.</param>
    /// <param name="effectiveOrder">Whether orders that the text is too short for are left out: for single sentences.</param>
    public double Score(BleuSmoothing smoothing, bool effectiveOrder)
    {
        if (matches.All(count => count == 0)) return 0;
        var (logarithms, order, zeros) = (0.0, Order, 0);
        for (var n = 0; n < Order; n++)
        {
            var (matched, total) = (matches[n], totals[n]);
            if (smoothing == BleuSmoothing.AddK && n > 0) (matched, total) = (matched + 1, total + 1);
            if (total == 0)
            {
                if (!effectiveOrder) return 0;
                break;
            }
            if (effectiveOrder) order = n + 1;
            if (matched == 0)
                matched = smoothing switch { BleuSmoothing.Exp => Math.Pow(0.5, ++zeros), BleuSmoothing.Floor => 0.1, _ => 0 };
            if (matched == 0) return 0;
            logarithms += Math.Log(100 * matched / total);
        }
        var brevity = saidLength < rightLength ? Math.Exp(1 - (double)rightLength / saidLength) : 1;
        return brevity * Math.Exp(logarithms / order);
    }

    private static Dictionary<string, int> Count(string[] tokens, int n)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i + n <= tokens.Length; i++)
        {
            var gram = string.Join(' ', tokens, i, n);
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }
}
