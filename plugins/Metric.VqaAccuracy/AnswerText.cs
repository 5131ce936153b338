using System.Text;

namespace Metric.VqaAccuracy;

/// <summary>What two answers must share to count as the same.</summary>
internal static class AnswerText
{
    /// <summary>Lower case, without punctuation and English articles, single spaces. A dot or comma between digits stays.</summary>
    public static string Normalise(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var inNumber = text[i] is '.' or ',' && i > 0 && i + 1 < text.Length
                && char.IsAsciiDigit(text[i - 1]) && char.IsAsciiDigit(text[i + 1]);
            if (inNumber || !char.IsPunctuation(text[i])) plain.Append(char.ToLowerInvariant(text[i]));
            else if (text[i] != '\'') plain.Append(' ');
        }
        var words = plain.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var content = words.Where(word => word is not ("a" or "an" or "the")).ToArray();
        // "A" may be the answer itself.
        return string.Join(' ', content.Length > 0 ? content : words);
    }
}
