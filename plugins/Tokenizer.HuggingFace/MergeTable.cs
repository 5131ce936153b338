namespace Tokenizer.HuggingFace;

/// <summary>
/// Merges by the ids of their parts. The pair with the lowest rank, of equal ones the leftmost, becomes one token, until no pair is left that merges.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>Words up to this length are searched from end to end for each merge; in longer ones a queue finds it.</summary>
    private const int Short = 48;

    private const int None = int.MaxValue;

    private readonly (ulong Key, int Rank, int Token)[] places;  // open addressing, at most half full; key 0 is an empty place, since keys are one more than the pair
    private readonly int shift;

    public MergeTable(IReadOnlyList<(string Left, string Right)> merges, IReadOnlyDictionary<string, int> vocabulary)
    {
        var bits = Math.Max(4, (int)Math.Ceiling(Math.Log2(merges.Count + 1)) + 1);
        (places, shift) = (new (ulong, int, int)[1 << bits], 64 - bits);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            if (!vocabulary.TryGetValue(left, out var first) || !vocabulary.TryGetValue(right, out var second) || !vocabulary.TryGetValue(left + right, out var token))
                throw new FormatException($"its merge of '{left}' and '{right}' speaks of a token that its vocabulary lacks");
            ref var place = ref Place(Key(first, second));
            if (place.Key == 0) place = (Key(first, second), rank, token);  // the first of two merges of one pair is the one that happens
        }
    }

    /// <summary>Merges tokens in place.</summary>
    /// <returns>How many are left.</returns>
    public int Merge(Span<int> tokens)
    {
        if (tokens.Length < 2) return tokens.Length;
        if (tokens.Length > Short) return MergeLong(tokens);
        Span<int> ranks = stackalloc int[Short];
        Span<int> merged = stackalloc int[Short];
        var count = tokens.Length;
        for (var i = 0; i + 1 < count; i++) (ranks[i], merged[i]) = Find(tokens[i], tokens[i + 1]);
        while (count > 1)
        {
            var (best, rank) = (0, ranks[0]);
            for (var i = 1; i < count - 1; i++)
                if (ranks[i] < rank) (best, rank) = (i, ranks[i]);
            if (rank == None) break;
            tokens[best] = merged[best];
            count--;
            tokens[(best + 2)..(count + 1)].CopyTo(tokens[(best + 1)..]);
            if (best + 1 < count)
            {
                ranks[(best + 2)..count].CopyTo(ranks[(best + 1)..]);
                merged[(best + 2)..count].CopyTo(merged[(best + 1)..]);
                (ranks[best], merged[best]) = Find(tokens[best], tokens[best + 1]);
            }
            if (best > 0) (ranks[best - 1], merged[best - 1]) = Find(tokens[best - 1], tokens[best]);
        }
        return count;
    }

    private int MergeLong(Span<int> tokens)
    {
        var (previous, next) = (new int[tokens.Length], new int[tokens.Length]);
        var queue = new PriorityQueue<(int At, int Left, int Right, int Token), (int Rank, int At)>();
        for (var i = 0; i < tokens.Length; i++) (previous[i], next[i]) = (i - 1, i + 1 < tokens.Length ? i + 1 : -1);
        for (var i = 0; i + 1 < tokens.Length; i++) Offer(tokens, i, i + 1);
        while (queue.TryDequeue(out var pair, out _))
        {
            var after = next[pair.At];
            // One of the two has become part of another token since.
            if (after < 0 || tokens[pair.At] != pair.Left || tokens[after] != pair.Right) continue;
            tokens[pair.At] = pair.Token;
            tokens[after] = -1;
            next[pair.At] = next[after];
            if (next[after] >= 0)
            {
                previous[next[after]] = pair.At;
                Offer(tokens, pair.At, next[after]);
            }
            if (previous[pair.At] >= 0) Offer(tokens, previous[pair.At], pair.At);
        }
        var count = 0;
        for (var i = 0; i >= 0; i = next[i]) tokens[count++] = tokens[i];
        return count;

        void Offer(Span<int> all, int left, int right)
        {
            var (rank, token) = Find(all[left], all[right]);
            if (rank != None) queue.Enqueue((left, all[left], all[right], token), (rank, left));
        }
    }

    private (int Rank, int Token) Find(int left, int right)
    {
        ref var place = ref Place(Key(left, right));
        return place.Key == 0 ? (None, 0) : (place.Rank, place.Token);
    }

    // Where the key is or belongs.
    private ref (ulong Key, int Rank, int Token) Place(ulong key)
    {
        var at = (int)((key * 0x9E3779B97F4A7C15) >> shift);
        while (places[at].Key != 0 && places[at].Key != key) at = (at + 1) & (places.Length - 1);
        return ref places[at];
    }

    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;
}
