using System.Text;

namespace PluginHost.Planted;

/// <summary>Lines of English, Chinese, emoji and code, put together by a seed.</summary>
internal static class MixedLines
{
    private static readonly string[] English =
        ["the", "quick", "naïve", "DON'T", "don't", "we'll", "I'm", "fiancée", "state-of-the-art", "Anti-Disestablishmentarianism", "co-operate", "e.g.", "U.S.A.", "3.14159", "1,000,000", "2026-11-27", "100%", "$5", "café", "straße", "ΑΒΓ", "привет", "مرحبا", "हिन्दी", "Việt", "한국어", "ありがとう", "cafe\u0301"];
    private static readonly string[] Chinese = ["红色的圆", "在蓝色的方块", "左边", "，", "。", "他说：“你好！”", "机器学习", "㐀", "𠀀𠀁", "一二三", "２０２６年", "繁體字", "《书》", "——", "……"];
    private static readonly string[] Emoji = ["😀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "❤️", "🇨🇳", "1️⃣", "𝒜𝓑", "𝟙𝟚", "🀄", "\u200d", "☃"];
    private static readonly string[] Code =
        ["def f(x):", "    return x**2 + 1", "\tfor (int i = 0; i < n; ++i) {", "}", "=>", "!=", "===", "a[i][j]", "std::vector<int>", "\"str\\n\"", "// TODO", "/* x */", "#include <stdio.h>", "SELECT * FROM t WHERE id = 42;", "0xDEADBEEF", "snake_case_name", "camelCaseName", "https://example.org/a?b=c&d=e#f", "<div class='x'>", "</div>", "$ ls -la | grep '^d'", "λx.x", "...", "\r\n", "\n\n", "  \n ", "\t\t"];
    private static readonly string[] Blanks = [" ", " ", " ", "  ", "   ", "", "", "\u00a0", "\u3000"];

    public static string[] Make(int count, int seed)
    {
        var random = new Random(seed);
        string[][] kinds = [English, English, Chinese, Emoji, Code];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var line = new StringBuilder();
            for (var words = random.Next(1, 40); words > 0; words--)
            {
                var kind = kinds[random.Next(kinds.Length)];
                line.Append(kind[random.Next(kind.Length)]).Append(Blanks[random.Next(Blanks.Length)]);
            }
            return line.ToString();
        })];
    }
}
