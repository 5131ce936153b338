using System.Globalization;
using System.Text;
using ADRaffy.ENSNormalize;

namespace Filter.NearDuplicate;

/// <summary>Overlapping runs of words, case and width folded; in Chinese, whose words nothing separates, of characters.</summary>
internal sealed class Shingles(int words)
{
    /// <summary>64-bit hashes of the shingles of all texts; a text with fewer words is one shingle.</summary>
    public HashSet<ulong> Of(IEnumerable<string> texts)
    {
        var hashes = new HashSet<ulong>();
        foreach (var text in texts)
        {
            var tokens = Tokens(text).Select(Hash).ToArray();
            if (tokens.Length == 0) continue;
            for (var start = 0; start + Math.Min(words, tokens.Length) <= tokens.Length; start++)
            {
                ulong hash = 0;
                foreach (var token in tokens.AsSpan(start, Math.Min(words, tokens.Length))) hash = MinHash.Mix(hash ^ token);
                hashes.Add(hash);
            }
        }
        return hashes;
    }

    private static IEnumerable<string> Tokens(string text)
    {
        // Half a character (a lone surrogate) cannot be normalised: it becomes the replacement character first. ASCII is composed as it is.
        var composed = Ascii.IsValid(text) ? text : ENSNormalize.NF.NFC(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(new string([.. text.Select(Narrow)]))));
        var folded = composed.ToLowerInvariant();
        var word = new StringBuilder();
        foreach (var rune in folded.EnumerateRunes())
        {
            var separate = IsIdeograph(rune.Value);
            if (!separate && (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark))
            {
                word.Append(rune.ToString());
                continue;
            }
            if (word.Length > 0) yield return word.ToString();
            word.Clear();
            if (separate) yield return rune.ToString();
        }
        if (word.Length > 0) yield return word.ToString();
    }

    // Full-width forms. (string.Normalize does nothing in a host without the operating system's Unicode data.)
    private static char Narrow(char letter) => letter is >= '\uFF01' and <= '\uFF5E' ? (char)(letter - 0xFEE0) : letter == '\u3000' ? ' ' : letter;

    // Han in its planes, and kana.
    private static bool IsIdeograph(int value) => value is >= 0x3040 and <= 0x30FF or >= 0x3400 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF or >= 0x20000 and <= 0x3FFFF;

    // FNV-1a over UTF-16, then mixed: string.GetHashCode differs from process to process.
    private static ulong Hash(string token)
    {
        var hash = 14695981039346656037;
        foreach (var letter in token) hash = (hash ^ letter) * 1099511628211;
        return MinHash.Mix(hash);
    }
}

/// <summary>Signatures whose share of equal places estimates the share of common shingles: standard error below 0.045 with 128 places.</summary>
internal static class MinHash
{
    /// <summary>Places of a signature.</summary>
    public const int Places = 128;

    /// <summary>The signature of a set; null when it is empty.</summary>
    public static uint[]? Of(HashSet<ulong> shingles)
    {
        if (shingles.Count == 0) return null;
        var signature = new uint[Places];
        Array.Fill(signature, uint.MaxValue);
        foreach (var shingle in shingles)
            for (var place = 0; place < Places; place++)
                signature[place] = Math.Min(signature[place], (uint)(Mix(shingle + (ulong)(place + 1) * 0x9E3779B97F4A7C15) >> 32));
        return signature;
    }

    /// <summary>The share of places that agree.</summary>
    public static double Similarity(uint[] one, uint[] other)
    {
        var same = 0;
        for (var place = 0; place < Places; place++)
            if (one[place] == other[place]) same++;
        return (double)same / Places;
    }

    /// <summary>The finalizer of SplitMix64: every bit of the input reaches every bit of the output.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>
/// Signatures by their bands: texts of similarity s share one of b bands of r rows with chance 1 - (1 - s^r)^b. Rows are as many as
/// leave at least 0.99 of the pairs at the threshold to be found.
/// </summary>
internal sealed class TextBands
{
    private readonly int rows;
    private readonly Dictionary<(int Band, ulong Hash), List<int>> buckets = [];

    public TextBands(double similarity) =>
        rows = new[] { 32, 16, 8, 4, 2, 1 }.First(rows => rows == 1 || 1 - Math.Pow(1 - Math.Pow(similarity, rows), MinHash.Places / rows) >= 0.99);

    public void Add(uint[] signature, int index)
    {
        foreach (var key in Keys(signature))
        {
            if (!buckets.TryGetValue(key, out var bucket)) buckets[key] = bucket = [];
            bucket.Add(index);
        }
    }

    public SortedSet<int> Find(uint[] signature) => [.. Keys(signature).SelectMany(key => buckets.GetValueOrDefault(key) ?? [])];

    private IEnumerable<(int, ulong)> Keys(uint[] signature)
    {
        for (var band = 0; band < MinHash.Places / rows; band++)
        {
            ulong hash = 0;
            for (var row = 0; row < rows; row++) hash = MinHash.Mix(hash ^ signature[band * rows + row]);
            yield return (band, hash);
        }
    }
}
