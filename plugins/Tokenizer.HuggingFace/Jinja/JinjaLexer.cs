using System.Globalization;
using System.Text;

namespace Tokenizer.HuggingFace.Jinja;

internal enum TokenKind
{
    Text,
    BeginPrint,
    EndPrint,
    BeginBlock,
    EndBlock,
    Name,
    Number,
    String,
    Operator,
    End,
}

internal readonly record struct Token(TokenKind Kind, string Text, int Line, object? Value = null);

/// <summary>Cuts a template into tokens, with the blanks around blocks gone as <c>trim_blocks</c> and <c>lstrip_blocks</c> of Jinja say.</summary>
internal sealed class JinjaLexer
{
    private static readonly string[] Operators = ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"];

    private readonly string text;
    private readonly List<Token> tokens = [];
    private int at;
    private int line = 1;

    private JinjaLexer(string text) => this.text = text;

    public static IReadOnlyList<Token> Read(string text)
    {
        // Jinja knows three line breaks, and drops one at the end of a template.
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new JinjaLexer(lines.EndsWith('\n') ? lines[..^1] : lines);
        lexer.Run();
        return lexer.tokens;
    }

    private void Run()
    {
        var trimmed = false;  // whether the tag before says to leave out the blanks that follow
        var breaks = false;   // whether a block ended just before, and a line break behind it is dropped
        while (at < text.Length)
        {
            var tag = NextTag();
            var plain = text[at..tag];
            if (breaks && plain.StartsWith('\n')) plain = plain[1..];
            if (trimmed) plain = plain.TrimStart();
            if (tag < text.Length)
            {
                var first = tag + 2 < text.Length ? text[tag + 2] : ' ';
                if (first == '-') plain = plain.TrimEnd();
                else if (first != '+' && text[tag + 1] != '{') plain = WithoutIndent(plain, first: at == 0 || breaks && !trimmed);
            }
            if (plain.Length > 0) tokens.Add(new Token(TokenKind.Text, plain, line));
            Advance(tag);
            if (at >= text.Length) break;
            var kind = text[at + 1];
            Advance(at + 2);
            if (at < text.Length && text[at] is '-' or '+') Advance(at + 1);
            (trimmed, breaks) = kind switch
            {
                '#' => Comment(),
                '{' => (Tag("}}", TokenKind.BeginPrint, TokenKind.EndPrint) == '-', false),
                _ => Tag("%}", TokenKind.BeginBlock, TokenKind.EndBlock) is var sign ? (sign == '-', sign != '+') : default,
            };
        }
        tokens.Add(new Token(TokenKind.End, "the end", line));
    }

    private int NextTag()
    {
        for (var i = at; i + 1 < text.Length; i++)
            if (text[i] == '{' && text[i + 1] is '{' or '%' or '#') return i;
        return text.Length;
    }

    // What stands between the beginning of a line and a block.
    private static string WithoutIndent(string plain, bool first)
    {
        var end = plain.Length;
        while (end > 0 && plain[end - 1] is ' ' or '\t') end--;
        return end == 0 ? first ? "" : plain : plain[end - 1] == '\n' ? plain[..end] : plain;
    }

    private (bool Trimmed, bool Breaks) Comment()
    {
        var end = text.IndexOf("#}", at, StringComparison.Ordinal);
        if (end < 0) throw new JinjaException(line, "a comment is not closed with '#}'");
        var trims = end > 0 && text[end - 1] == '-';
        Advance(end + 2);
        return (trims, true);
    }

    /// <returns>The sign before the tag's end: - where all blanks behind it are dropped, + where none are.</returns>
    private char Tag(string close, TokenKind begin, TokenKind end)
    {
        tokens.Add(new Token(begin, close, line));
        var depth = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) Advance(at + 1);
            if (at >= text.Length) throw new JinjaException(line, $"a tag is not closed with '{close}'");
            if (depth == 0)
            {
                var sign = text[at] is '-' or '+' ? 1 : 0;
                if (string.CompareOrdinal(text, at + sign, close, 0, 2) == 0)
                {
                    var before = text[at];
                    Advance(at + sign + 2);
                    tokens.Add(new Token(end, close, line));
                    return before;
                }
            }
            var token = Next();
            if (token is { Kind: TokenKind.Operator, Text: "{" or "(" or "[" }) depth++;
            if (token is { Kind: TokenKind.Operator, Text: "}" or ")" or "]" }) depth--;
            tokens.Add(token);
        }
    }

    private Token Next()
    {
        var (c, start, first) = (text[at], at, line);
        if (c is '"' or '\'') return new Token(TokenKind.String, "a text", first, Quoted(c));
        if (char.IsAsciiDigit(c)) return Number(start);
        if (char.IsLetter(c) || c == '_')
        {
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_')) at++;
            return new Token(TokenKind.Name, text[start..at], first);
        }
        var sign = Array.Find(Operators, sign => string.CompareOrdinal(text, start, sign, 0, sign.Length) == 0) ?? throw new JinjaException(line, $"'{c}' means nothing here");
        at += sign.Length;
        return new Token(TokenKind.Operator, sign, first);
    }

    private Token Number(int start)
    {
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '_')) at++;
        var real = at + 1 < text.Length && text[at] == '.' && char.IsAsciiDigit(text[at + 1]);
        if (real)
            for (at++; at < text.Length && char.IsAsciiDigit(text[at]);) at++;
        var digits = text[start..at].Replace("_", "", StringComparison.Ordinal);
        if (real) return new Token(TokenKind.Number, digits, line, double.Parse(digits, CultureInfo.InvariantCulture));
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? new Token(TokenKind.Number, digits, line, whole) : throw new JinjaException(line, $"{digits} is too large");
    }

    private string Quoted(char quote)
    {
        var result = new StringBuilder();
        var begin = line;
        for (Advance(at + 1); at < text.Length; Advance(at + 1))
        {
            if (text[at] == quote)
            {
                Advance(at + 1);
                return result.ToString();
            }
            if (text[at] != '\\' || at + 1 >= text.Length)
            {
                result.Append(text[at]);
                continue;
            }
            Advance(at + 1);
            result.Append(text[at] switch
            {
                'n' => "\n",
                't' => "\t",
                'r' => "\r",
                'b' => "\b",
                'f' => "\f",
                '0' => "\0",
                '\n' => "",
                'x' => Coded(2),
                'u' => Coded(4),
                'U' => Coded(8),
                '\\' or '\'' or '"' => text[at].ToString(),
                _ => $"\\{text[at]}",
            });
        }
        throw new JinjaException(begin, $"a text is not closed with {quote}");
    }

    private string Coded(int digits)
    {
        if (at + digits >= text.Length || !uint.TryParse(text.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > 0x10FFFF)
            throw new JinjaException(line, $"'\\{text[at]}' is not followed by the {digits} digits of a character");
        Advance(at + digits);
        return code is >= 0xD800 and <= 0xDFFF ? ((char)code).ToString() : char.ConvertFromUtf32((int)code);
    }

    private void Advance(int to)
    {
        to = Math.Min(to, text.Length);
        line += text.AsSpan(at, to - at).Count('\n');
        at = to;
    }
}
