using System.Globalization;
using System.Text;

namespace Tokenizer.HuggingFace;

/// <summary>
/// The pattern that Llama 3 and Qwen cut words with, by hand: as a regular expression it takes most of the time of encoding, and .NET's takes half of a wide
/// character for one. <code>
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</code>
/// </summary>
/// <param name="digits">How many digits are a piece at most.</param>
internal sealed class WordPattern(int digits)
{
    private const string Before = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|";
    private const string Behind = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly byte[] Classes = [.. Enumerable.Range(0, 0x10000).Select(letter => Class(letter is >= 0xD800 and <= 0xDFFF ? UnicodeCategory.Surrogate : CharUnicodeInfo.GetUnicodeCategory((char)letter), (char)letter))];

    private const byte Other = 0;
    private const byte Letter = 1;
    private const byte Number = 2;
    private const byte Space = 3;
    private const byte Break = 4;  // a space that ends a line

    /// <summary>The pattern's equal, where it is that of one of these models; null: another.</summary>
    public static WordPattern? Of(string pattern) => pattern switch
    {
        Before + @"\p{N}" + Behind => new WordPattern(1),
        Before + @"\p{N}{1,3}" + Behind => new WordPattern(3),
        _ => null,
    };

    /// <summary>Adds the pieces of a part of a text: together they are all of it.</summary>
    public void Split(ReadOnlySpan<char> text, Piece part, List<Piece> pieces)
    {
        var (at, end) = (part.Start, part.Start + part.Length);
        text = text[..end];
        while (at < end)
        {
            var next = End(text, at);
            pieces.Add(new Piece(at, next - at));
            at = next;
        }
    }

    // Where the piece ends that begins here: the pattern's alternatives in their order.
    private int End(ReadOnlySpan<char> text, int at)
    {
        if (text[at] == '\'' && Contraction(text[(at + 1)..]) is > 0 and var length) return at + 1 + length;
        var first = Kind(text, at, out var after);
        if (first == Letter) return Run(text, after, Letter);
        var second = after < text.Length ? Kind(text, after, out _) : (byte)255;
        if (first is Other or Space && second == Letter) return Run(text, after, Letter);
        if (first == Number) return Run(text, after, Number, digits - 1);
        if (first == Other) return Lines(text, Run(text, after, Other));
        if (text[at] == ' ' && second == Other) return Lines(text, Run(text, after, Other));

        // Blanks: up to the last line break; else all but the one before a word; else that one.
        var (end, lines) = (at, at);
        while (end < text.Length && Classes[text[end]] is Space or Break)
            if (Classes[text[end++]] == Break) lines = end;
        return lines > at ? lines : end < text.Length && end - at > 1 ? end - 1 : end;
    }

    private static int Run(ReadOnlySpan<char> text, int at, byte kind, int most = int.MaxValue)
    {
        for (; most > 0 && at < text.Length && Kind(text, at, out var after) == kind; most--) at = after;
        return at;
    }

    private static int Lines(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n') at++;
        return at;
    }

    private static byte Kind(ReadOnlySpan<char> text, int at, out int after)
    {
        after = at + 1;
        if (!char.IsHighSurrogate(text[at]) || after == text.Length || !char.IsLowSurrogate(text[after])) return Classes[text[at]];
        var rune = new Rune(text[at], text[after++]);
        return Class(Rune.GetUnicodeCategory(rune), '\0');
    }

    private static byte Class(UnicodeCategory category, char letter) => category switch
    {
        _ when letter is '\r' or '\n' => Break,
        _ when letter != '\0' && char.IsWhiteSpace(letter) => Space,
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        _ => Other,
    };

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text.Length == 0) return 0;
        var second = text.Length > 1 ? (char)(text[1] | 0x20) : ' ';
        return (char)(text[0] | 0x20) switch
        {
            's' or 't' or 'm' or 'd' => 1,
            'r' or 'v' when second == 'e' => 2,
            'l' when second == 'l' => 2,
            _ => 0,
        };
    }
}
