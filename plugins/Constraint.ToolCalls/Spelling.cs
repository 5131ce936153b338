using System.Text;
using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>Makes places of texts, letter by letter, and counts them.</summary>
/// <param name="tokens">What can be written.</param>
/// <param name="most">Places at most.</param>
internal sealed class Spelling(TokenBytes tokens, int most)
{
    private readonly HashSet<byte> known = [];
    private int made;

    /// <summary>A text, and what is behind it.</summary>
    public Place Text(string text, Place next) => Any([(text, next)]);

    /// <summary>One of some texts, each with what is behind it. A text that another begins with may end where what is behind it goes on.</summary>
    /// <exception cref="UserErrorException">There are too many places, or the tokenizer has no token for a byte.</exception>
    public Place Any(IReadOnlyList<(string Text, Place Next)> texts) =>
        Branch([.. texts.DistinctBy(text => text.Text, StringComparer.Ordinal).Select(text => (Encoding.UTF8.GetBytes(text.Text), text.Next)).OrderBy(text => text.Item1, Comparer<byte[]>.Create((first, second) => first.AsSpan().SequenceCompareTo(second)))], 0);

    /// <summary>Counts a place.</summary>
    public T Counted<T>(T place)
        where T : Place
    {
        if (++made > most) throw new UserErrorException($"the schemas of the functions come to more than {most:N0} places of a grammar ('places' of constraint.tool-calls); offer fewer functions, or simpler ones");
        return place;
    }

    // Texts in order, alike up to `at`.
    private Place Branch(ReadOnlySpan<(byte[] Bytes, Place Next)> texts, int at)
    {
        var shared = texts[0].Bytes.AsSpan(at).CommonPrefixLength(texts[^1].Bytes.AsSpan(at));
        var fork = at + shared;
        var otherwise = texts[0].Bytes.Length == fork ? texts[0].Next : null;
        var rest = otherwise is null ? texts : texts[1..];
        Place place;
        if (rest.Length == 0) place = otherwise!;
        else
        {
            var edges = new Dictionary<byte, Place>();
            for (var from = 0; from < rest.Length;)
            {
                var (letter, to) = (rest[from].Bytes[fork], from + 1);
                while (to < rest.Length && rest[to].Bytes[fork] == letter) to++;
                edges[Writable(letter)] = Branch(rest[from..to], fork + 1);
                from = to;
            }
            place = Counted(new Fork(edges, otherwise));
        }
        if (shared == 0) return place;
        foreach (var letter in texts[0].Bytes[at..fork]) Writable(letter);
        return Counted(new Letters(texts[0].Bytes[at..fork], place));
    }

    private byte Writable(byte value)
    {
        if (known.Contains(value) || tokens.Has(value)) known.Add(value);
        else throw new UserErrorException($"the tokenizer has no token for the byte {value:x2} alone, which a name or a value of a function's schema has; use ASCII there, or a tokenizer over bytes");
        return value;
    }
}
