using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Tokenizer.HuggingFace;

/// <summary>What becomes of that at which a text is cut.</summary>
internal enum Splitting
{
    /// <summary>A piece of its own.</summary>
    Isolated,

    /// <summary>Nothing.</summary>
    Removed,

    /// <summary>The end of the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>The beginning of the piece after it.</summary>
    MergedWithNext,
}

/// <summary>A part of a text.</summary>
internal readonly record struct Piece(int Start, int Length);

/// <summary>Cuts text where a pattern matches.</summary>
internal sealed class Splitter
{
    private readonly Splitting splitting;
    private readonly WordPattern? words;
    private readonly Regex? regex;

    /// <exception cref="FormatException">.NET does not know the pattern.</exception>
    public Splitter(string pattern, Splitting splitting)
    {
        this.splitting = splitting;
        words = splitting == Splitting.Isolated ? WordPattern.Of(pattern) : null;
        if (words is null) regex = Compile(pattern);
    }

    /// <exception cref="FormatException">.NET does not know the pattern.</exception>
    public static Regex Compile(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant);
        }
        catch (ArgumentException error)
        {
            throw new FormatException($"its pattern '{pattern}' cannot be read: {error.Message.TrimEnd('.')}");
        }
    }

    /// <summary>Adds the pieces of a part of a text, in order.</summary>
    public void Split(ReadOnlySpan<char> text, Piece part, List<Piece> pieces)
    {
        if (words is not null)
        {
            words.Split(text, part, pieces);
            return;
        }
        var span = text.Slice(part.Start, part.Length);
        if (span.IndexOfAnyInRange('\ud800', '\udfff') >= 0)
        {
            SplitWide(span, part, pieces);
            return;
        }
        var open = 0; // where the piece begins that is growing
        foreach (var match in regex!.EnumerateMatches(span))
            if (match.Length > 0) Take(match.Index, match.Length, part.Start, ref open, pieces);
        if (open < span.Length) pieces.Add(new Piece(part.Start + open, span.Length - open));
    }

    // .NET matches 16 bits at a time and takes half a character for one. So the pattern sees one 16-bit character of the same category in the place of each wider one.
    private void SplitWide(ReadOnlySpan<char> span, Piece part, List<Piece> pieces)
    {
        var narrow = new char[span.Length];
        var origin = new int[span.Length + 1];
        var (count, at) = (0, 0);
        foreach (var rune in span.EnumerateRunes())
        {
            origin[count] = at;
            narrow[count++] = rune.IsBmp ? (char)rune.Value : StandIn(Rune.GetUnicodeCategory(rune));
            at += rune.Utf16SequenceLength;
        }
        origin[count] = at;
        var open = 0;
        foreach (var match in regex!.EnumerateMatches(narrow.AsSpan(0, count)))
        {
            var first = origin[match.Index];
            if (match.Length > 0) Take(first, origin[match.Index + match.Length] - first, part.Start, ref open, pieces);
        }
        if (open < span.Length) pieces.Add(new Piece(part.Start + open, span.Length - open));
    }

    private void Take(int index, int length, int start, ref int open, List<Piece> pieces)
    {
        if (splitting == Splitting.MergedWithPrevious)
        {
            pieces.Add(new Piece(start + open, index + length - open));
            open = index + length;
        }
        else
        {
            if (index > open) pieces.Add(new Piece(start + open, index - open));
            open = index;
            if (splitting != Splitting.MergedWithNext)
            {
                if (splitting == Splitting.Isolated) pieces.Add(new Piece(start + index, length));
                open = index + length;
            }
        }
    }

    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => 'À',
        UnicodeCategory.LowercaseLetter => 'à',
        UnicodeCategory.TitlecaseLetter => 'ǅ',
        UnicodeCategory.ModifierLetter => 'ʰ',
        UnicodeCategory.OtherLetter => '一',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '٠',
        UnicodeCategory.LetterNumber => 'Ⅰ',
        UnicodeCategory.OtherNumber => '²',
        UnicodeCategory.MathSymbol => '¬',
        UnicodeCategory.CurrencySymbol => '¢',
        UnicodeCategory.ModifierSymbol => '¨',
        UnicodeCategory.OtherSymbol => '¦',
        UnicodeCategory.Format => '\u00ad',
        UnicodeCategory.PrivateUse => '\ue000',
        UnicodeCategory.OtherNotAssigned => '\u0378',
        _ => '¡', // punctuation
    };
}
