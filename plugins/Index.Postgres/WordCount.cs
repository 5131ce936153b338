using System.Globalization;
using System.Text;

namespace Index.Postgres;

/// <summary>Words of a text: letters, digits and the marks upon them, in small letters.</summary>
internal static class WordCount
{
    /// <summary>Letters of a word that are kept: an entry of a B-tree has its bounds.</summary>
    private const int MostLetters = 200;

    /// <summary>How often each word stands there.</summary>
    public static Dictionary<string, int> Of(string text)
    {
        var words = new Dictionary<string, int>();
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
            if (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark)
            {
                if (word.Length < MostLetters) word.Append(Rune.ToLowerInvariant(rune).ToString());
            }
            else
            {
                End();
            }
        End();
        return words;

        void End()
        {
            if (word.Length == 0) return;
            words[word.ToString()] = words.GetValueOrDefault(word.ToString()) + 1;
            word.Clear();
        }
    }
}
