using System.Text;

namespace Tokenizer.ByteBpe;

/// <summary>
/// Learns merges: the commonest pair of neighbouring tokens becomes a token, again and again. Works on distinct words with their
/// counts and touches only the words that hold the merged pair. Ties go to the pair with the smaller ids: no order of a hash
/// table takes part, so that a corpus gives one vocabulary.
/// </summary>
internal static class MergeTrainer
{
    // Longer words are noise (encoded data, unbroken scripts): they would teach tokens that occur once.
    private const int LongestWord = 64;

    private sealed class Word(int[] ids, int count)
    {
        public int[] Ids = ids;
        public readonly int Count = count;
    }

    public static IReadOnlyList<Merge> Train(IEnumerable<string> corpus, int limit, int minFrequency, CancellationToken cancellation)
    {
        var words = Count(corpus, cancellation);
        List<string> tokens = [.. Enumerable.Range(0, 256).Select(value => ByteAlphabet.Letter(value).ToString())];
        var known = tokens.ToHashSet();
        var pairs = new PairCounts();
        for (var i = 0; i < words.Count; i++) pairs.Add(words[i].Ids, words[i].Count, i);

        var merges = new List<Merge>();
        while (merges.Count < limit && pairs.TakeBest(minFrequency) is { } best)
        {
            cancellation.ThrowIfCancellationRequested();
            var merge = new Merge(tokens[best.Left], tokens[best.Right]);
            // Two ways to spell one token would give two ids one meaning; the second way is left out.
            if (!known.Add(merge.Token)) continue;
            merges.Add(merge);
            tokens.Add(merge.Token);
            foreach (var index in pairs.WordsWith(best))
            {
                var word = words[index];
                pairs.Add(word.Ids, -word.Count, index);
                word.Ids = Apply(word.Ids, best, tokens.Count - 1);
                pairs.Add(word.Ids, word.Count, index);
            }
        }
        return merges;
    }

    private static List<Word> Count(IEnumerable<string> corpus, CancellationToken cancellation)
    {
        var counts = new Dictionary<string, int>();
        foreach (var text in corpus)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var match in ByteAlphabet.Words().EnumerateMatches(text))
            {
                if (match.Length > LongestWord) continue;
                var word = text.Substring(match.Index, match.Length);
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }
        return [.. counts.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => new Word(Array.ConvertAll(Encoding.UTF8.GetBytes(pair.Key), value => (int)value), pair.Value))];
    }

    private static int[] Apply(int[] ids, Pair pair, int merged)
    {
        var result = new List<int>(ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            var hit = i + 1 < ids.Length && ids[i] == pair.Left && ids[i + 1] == pair.Right;
            result.Add(hit ? merged : ids[i]);
            if (hit) i++;
        }
        return [.. result];
    }
}
