using System.Globalization;
using System.Text;
using ADRaffy.ENSNormalize;
using PluginHost.Sdk;

namespace Metric.Answers;

/// <summary>Texts as words.</summary>
internal static class Words
{
    /// <summary>Runs of letters, marks and digits in lower case; a Chinese or Japanese character, which no space sets apart, is a word of its own.</summary>
    public static string[] Of(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var rune in (Ascii.IsValid(text) ? text : ENSNormalize.NF.NFC(text)).EnumerateRunes())
        {
            var alone = IsIdeograph(rune);
            if (alone || !IsWordLike(rune)) End();
            if (alone) words.Add(rune.ToString());
            else if (IsWordLike(rune)) word.Append(Rune.ToLowerInvariant(rune));
        }
        End();
        return [.. words];

        void End()
        {
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }
    }

    /// <summary>How often each run of n words occurs.</summary>
    public static Dictionary<string, int> Grams(string[] words, int n)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i + n <= words.Length; i++)
        {
            var gram = string.Join(' ', words, i, n);
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }

    /// <summary>Values of the whole and of each task.</summary>
    /// <param name="name">The metric: a task follows a colon.</param>
    /// <param name="predictions">What it is of.</param>
    /// <param name="value">The value of some of them.</param>
    public static IEnumerable<MetricValue> OverallAndByTask<T>(string name, IReadOnlyList<T> predictions, Func<T, string> task, Func<string, IReadOnlyList<T>, MetricValue> value) =>
    [
        value(name, predictions),
        .. predictions.GroupBy(task).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => value($"{name}:{group.Key}", [.. group])),
    ];

    private static bool IsWordLike(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsIdeograph(Rune rune) => rune.Value is >= 0x3040 and <= 0x30FF or >= 0x3400 and <= 0x4DBF or >= 0x4E00 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF or >= 0x20000 and <= 0x323AF;
}
