namespace PluginHost.Retrieval.Evaluation;

/// <summary>Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) with gains of 0 and 1.</summary>
public static class Ndcg
{
    /// <summary>Between 0 and 1.</summary>
    /// <param name="found">Whether each result answers the query, from the best on.</param>
    /// <param name="right">How many results there are in all that answer it; at least 1.</param>
    /// <param name="depth">Results that are looked at.</param>
    public static double At(IEnumerable<bool> found, int right, int depth) =>
        found.Take(depth).Select((hit, rank) => hit ? Discount(rank) : 0).Sum() / Enumerable.Range(0, Math.Min(right, depth)).Sum(Discount);

    private static double Discount(int rank) => 1 / Math.Log2(rank + 2);
}
