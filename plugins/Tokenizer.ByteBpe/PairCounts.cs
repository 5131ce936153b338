namespace Tokenizer.ByteBpe;

/// <summary>Two neighbouring tokens.</summary>
internal readonly record struct Pair(int Left, int Right);

/// <summary>How often each pair occurs and in which words, with the commonest pair at hand.</summary>
internal sealed class PairCounts
{
    private readonly Dictionary<Pair, int> counts = [];
    private readonly Dictionary<Pair, HashSet<int>> words = [];

    // Entries go stale when a count changes: a newer one has been queued, and the old one is dropped when it surfaces.
    private readonly PriorityQueue<Pair, (int Count, int Left, int Right)> queue = new();

    /// <summary>Adds the pairs of a word, <paramref name="times"/> over; negative to take them away.</summary>
    public void Add(int[] ids, int times, int word)
    {
        for (var i = 0; i + 1 < ids.Length; i++)
        {
            var pair = new Pair(ids[i], ids[i + 1]);
            var count = counts[pair] = counts.GetValueOrDefault(pair) + times;
            if (!words.TryGetValue(pair, out var holders)) words[pair] = holders = [];
            holders.Add(word);
            if (count > 0) queue.Enqueue(pair, (-count, pair.Left, pair.Right));
        }
    }

    /// <summary>Takes out the commonest pair; null when none occurs often enough.</summary>
    public Pair? TakeBest(int minFrequency)
    {
        while (queue.TryDequeue(out var pair, out var rank))
        {
            if (counts.GetValueOrDefault(pair) != -rank.Count) continue;
            if (-rank.Count < minFrequency) return null;
            counts.Remove(pair);
            return pair;
        }
        return null;
    }

    /// <summary>The words that hold or once held a pair, in order.</summary>
    public IReadOnlyList<int> WordsWith(Pair pair) => [.. words[pair].Order()];
}
