using System.Text;
using System.Text.RegularExpressions;

namespace Metric.Bleu;

/// <summary>sacreBLEU's tokenizers <c>13a</c> and <c>zh</c>.</summary>
internal static partial class BleuTokenizer
{
    // sacreBLEU's table. Its entry for U+20000 is written with four digits, so that it really covers U+2001 to U+2A6D: kept, or
    // scores would differ from everybody else's.
    private static readonly (int First, int Last)[] Chinese =
    [
        (0x3400, 0x4db5), (0x4e00, 0x9fbb), (0xf900, 0xfa2d), (0xfa30, 0xfa6a), (0xfa70, 0xfad9), (0x2001, 0x2a6d), (0xff00, 0xffef),
        (0x2e80, 0x2fdf), (0x2ff0, 0x303f), (0x3100, 0x312f), (0x31a0, 0x31bf), (0x31c0, 0x31ef), (0xfe10, 0xfe1f), (0xfe30, 0xfe4f),
        (0x3200, 0x33ff),
    ];

    /// <summary>Cuts a text into tokens.</summary>
    public static string[] Split(string text, BleuTokenize tokenize)
    {
        var line = tokenize == BleuTokenize.Zh ? SpreadChinese(text.Trim()) : Clean(text);
        line = Symbols().Replace(line, " $1 ");
        line = PointAfterNonDigit().Replace(line, "$1 $2 ");
        line = PointBeforeNonDigit().Replace(line, " $1 $2");
        line = DashAfterDigit().Replace(line, "$1 $2 ");
        return line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Whether more than half of the characters that are no white space are Chinese.</summary>
    public static bool IsMostlyChinese(IEnumerable<string> texts)
    {
        var (chinese, all) = (0, 0);
        foreach (var rune in texts.SelectMany(text => text.EnumerateRunes()).Where(rune => !Rune.IsWhiteSpace(rune)))
        {
            all++;
            if (IsChinese(rune)) chinese++;
        }
        return 2 * chinese > all;
    }

    private static bool IsChinese(Rune rune) => Array.Exists(Chinese, range => rune.Value >= range.First && rune.Value <= range.Last);

    private static string SpreadChinese(string text)
    {
        var spread = new StringBuilder(text.Length * 3);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsChinese(rune)) spread.Append(' ').Append(rune).Append(' ');
            else spread.Append(rune);
        }
        return spread.ToString();
    }

    private static string Clean(string text) => " " + text.Replace("<skipped>", "").Replace("-\n", "").Replace('\n', ' ')
        .Replace("&quot;", "\"").Replace("&amp;", "&").Replace("&lt;", "<").Replace("&gt;", ">") + " ";

    [GeneratedRegex(@"([\{-~\[-` -&\(-\+:-@/])")]
    private static partial Regex Symbols();

    [GeneratedRegex(@"([^0-9])([\.,])")]
    private static partial Regex PointAfterNonDigit();

    [GeneratedRegex(@"([\.,])([^0-9])")]
    private static partial Regex PointBeforeNonDigit();

    [GeneratedRegex(@"([0-9])(-)")]
    private static partial Regex DashAfterDigit();
}
