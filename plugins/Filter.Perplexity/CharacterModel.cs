// Stupid back-off (Brants et al. 2007): S(c | h) = count(h c) / count(h) where that is seen, else 0.4 · S(c | shorter h). Not
// Kneser-Ney: a text has to be judged by what the *others* look like, which is to take its own counts out. Here that is a
// subtraction; Kneser-Ney's counts of distinct continuations cannot be had without the text. S is no probability, but is only compared.
using System.Runtime.InteropServices;
using System.Text;

namespace Filter.Perplexity;

/// <summary>A model of characters by the three before them.</summary>
internal sealed class CharacterModel : ITextModel
{
    private const int Order = 4; // of 16 bits each: an n-gram is a 64-bit key
    private const double BackOff = 0.4;
    private const double Unseen = 0.5; // of an occurrence
    private const char Edge = '\u0002';

    private readonly Dictionary<ulong, int> counts = [];
    private long total;

    public void Add(string text) => total += Count(Clean(text), counts);

    public TextCost Cost(string text, bool wasAdded)
    {
        var clean = Clean(text);
        var own = new Dictionary<ulong, int>();
        var length = Count(clean, own);
        if (!wasAdded) own.Clear();
        var others = total - (wasAdded ? length : 0);
        int Seen(ulong gram) => counts.GetValueOrDefault(gram) - own.GetValueOrDefault(gram);
        var bits = 0.0;
        for (var at = Order - 1; at < clean.Length; at++) bits -= Math.Log2(Score(clean, at, Seen, Math.Max(1, others)));
        return new TextCost(bits / length, length);
    }

    private static double Score(string text, int at, Func<ulong, int> seen, long total)
    {
        var weight = 1.0;
        for (var n = Order; n > 1; n--)
        {
            var gram = Key(text, at, n);
            var (count, context) = (seen(gram), seen(Key(text, at - 1, n - 1)));
            if (count > 0 && context > 0) return weight * count / context;
            weight *= BackOff;
        }
        return weight * Math.Max(Unseen, seen(Key(text, at, 1))) / total;
    }

    private static int Count(string text, Dictionary<ulong, int> counts)
    {
        // Every n-gram that ends at or after the last leading edge, so that contexts of the first character are counted too.
        for (var at = 0; at < text.Length; at++)
            for (var n = 1; n <= Math.Min(Order, at + 1); n++)
                CollectionsMarshal.GetValueRefOrAddDefault(counts, Key(text, at, n), out _)++;
        return text.Length - (Order - 1);
    }

    private static ulong Key(string text, int at, int n)
    {
        var key = 0UL;
        for (var i = at - n + 1; i <= at; i++) key = key << 16 | text[i];
        return key;
    }

    // Case, width and figures are no sign of quality; runs of white space are one space.
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length + Order).Append(Edge, Order - 1);
        foreach (var letter in text.Trim())
        {
            var character = letter is >= '\uFF01' and <= '\uFF5E' ? (char)(letter - 0xFEE0) : letter;
            if (!char.IsWhiteSpace(character)) clean.Append(char.IsAsciiDigit(character) ? '0' : character == '\0' ? Edge : char.ToLowerInvariant(character));
            else if (clean[^1] != ' ') clean.Append(' ');
        }
        return clean.Append(Edge).ToString();
    }
}
