// A few hundred short texts do not show which characters follow each other in Chinese; a dictionary does. A text costs what its cheapest cut
// into words costs (unigrams, by dynamic programming), plus what the order of their parts of speech and of the signs costs (bigrams,
// learnt from the texts): in scrambled text words fall to pieces, and measure words and full stops stand where none do.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Filter.Perplexity;

/// <summary>A model of texts in a language without spaces by the words of a dictionary.</summary>
internal sealed class WordModel(WordFrequencies words) : ITextModel
{
    private const int LongestWord = 8;
    private const double OutOfDictionary = 8;      // bits of the step out of it, to a name or a figure
    private const double LetterBits = 4.7;         // log2 26
    private const double DigitBits = 3.3;          // log2 10
    private const double LettersOfACharacter = 4;  // as much as a Chinese one says
    private const double RareCharacter = 4;        // bits above a word met once
    private const double Unseen = 0.5;             // of an occurrence
    private const int Kinds = 20;                  // that may follow one, about
    private const char Start = '^', End = '$', Letters = 'L', Digits = '0', Characters = '字', Opening = '(', Closing = ')', Stop = '.', Sign = ',';

    private readonly Dictionary<(char Kind, char Next), int> pairs = [];
    private readonly Dictionary<char, int> firsts = [];

    // A run of Latin letters, a run of figures, or one other character.
    private readonly record struct Token(char Kind, string Text);

    public void Add(string text) => Count(Cut(Tokens(text)).Order, pairs, firsts);

    public TextCost Cost(string text, bool wasAdded)
    {
        var tokens = Tokens(text);
        var characters = Math.Max(1, tokens.Sum(token => token.Kind switch { Letters => Math.Max(1, token.Text.Length / LettersOfACharacter), Digits or Characters => 1, _ => 0 }));
        var (bits, order) = Cut(tokens);
        return new TextCost((bits + Bits(order, wasAdded)) / characters, characters);
    }

    /// <summary>The cheapest cut into words: its bits, and the kinds of its words, each with the next.</summary>
    private (double Bits, List<(char Kind, char Next)> Order) Cut(List<Token> tokens)
    {
        var best = new (double Bits, int From, char Kind)[tokens.Count + 1]; // of the tokens before
        Array.Fill(best, (double.PositiveInfinity, 0, Start), 1, tokens.Count);
        void Reach(int start, int end, double bits, char kind)
        {
            if (best[start].Bits + bits < best[end].Bits) best[end] = (best[start].Bits + bits, start, kind);
        }
        var word = new StringBuilder();
        for (var start = 0; start < tokens.Count; start++)
        {
            Reach(start, start + 1, Alone(tokens[start]), tokens[start].Kind);
            word.Clear();
            for (var end = start; end < Math.Min(tokens.Count, start + LongestWord); end++)
                if (words.Find(word.Append(tokens[end].Text).ToString()) is { } found) Reach(start, end + 1, found.Bits, found.Part);
        }
        var kinds = new List<char> { End };
        for (var at = tokens.Count; at > 0; at = best[at].From) kinds.Add(best[at].Kind);
        kinds.Add(Start);
        kinds.Reverse();
        return (best[^1].Bits, [.. kinds.Zip(kinds.Skip(1))]);
    }

    private double Alone(Token token) => token.Kind switch
    {
        Letters => OutOfDictionary + LetterBits * token.Text.Length,
        Digits => OutOfDictionary + DigitBits * token.Text.Length,
        Characters => words.Unknown + RareCharacter,
        _ => 0, // signs cost by their place
    };

    private double Bits(List<(char Kind, char Next)> order, bool wasAdded)
    {
        var (ownPairs, ownFirsts) = (new Dictionary<(char, char), int>(), new Dictionary<char, int>());
        if (wasAdded) Count(order, ownPairs, ownFirsts);
        return order.Sum(pair => -Math.Log2(
            (pairs.GetValueOrDefault(pair) - ownPairs.GetValueOrDefault(pair) + Unseen) / (firsts.GetValueOrDefault(pair.Kind) - ownFirsts.GetValueOrDefault(pair.Kind) + Unseen * Kinds)));
    }

    private static void Count(List<(char Kind, char Next)> order, Dictionary<(char, char), int> pairs, Dictionary<char, int> firsts)
    {
        foreach (var pair in order)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(pairs, pair, out _)++;
            CollectionsMarshal.GetValueRefOrAddDefault(firsts, pair.Kind, out _)++;
        }
    }

    private static List<Token> Tokens(string text)
    {
        var tokens = new List<Token>();
        for (var at = 0; at < text.Length; at++)
        {
            var character = Plain(text[at]);
            if (char.IsWhiteSpace(character)) continue;
            var kind = KindOf(character);
            var joins = kind is Letters or Digits && at > 0 && KindOf(Plain(text[at - 1])) == kind;
            if (joins) tokens[^1] = new Token(kind, tokens[^1].Text + character);
            else tokens.Add(new Token(kind, character.ToString()));
        }
        return tokens;
    }

    private static char KindOf(char character) => char.GetUnicodeCategory(character) switch
    {
        UnicodeCategory.DecimalDigitNumber => Digits,
        UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.OpenPunctuation => Opening,
        UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.ClosePunctuation => Closing,
        _ when char.IsLetter(character) || char.IsSurrogate(character) => character < '\u0250' ? Letters : Characters,
        _ => character is '。' or '.' or '!' or '?' ? Stop : Sign,
    };

    // Full-width forms as plain ones.
    private static char Plain(char character) => char.ToLowerInvariant(character is >= '\uFF01' and <= '\uFF5E' ? (char)(character - 0xFEE0) : character);
}
