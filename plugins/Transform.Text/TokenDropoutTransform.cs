// Leaves out words with a chance each (EDA, Wei and Zou 2019: random deletion). A word is what stands between spaces; in scripts that are
// written without spaces (Chinese, Japanese, Thai) it is a character.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using PluginHost.Sdk;

namespace Transform.Text;

/// <summary>Settings of <c>transform.token-dropout</c>.</summary>
/// <param name="Rate">The chance with which a word is left out.</param>
/// <param name="Prompts">Whether prompts lose words too.</param>
public sealed record TokenDropoutOptions(
    [property: Range(0.001, 0.9), Description("The chance with which a word is left out; one always stays.")] double Rate = 0.1,
    [property: Description("Whether prompts lose words too; a question without its 'not' has another answer.")] bool Prompts = false);

/// <summary>Random deletion of words.</summary>
[Plugin("transform.token-dropout", "Leaves out random words of captions.")]
public sealed class TokenDropoutTransform(TokenDropoutOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random) =>
        TextChange.Apply(sample, (_, text) => Thin(text, random), options.Prompts ? text => Thin(text, random) : null);

    private string Thin(string text, Random random)
    {
        var words = Words(text);
        if (words.Count < 2) return text;
        var stays = random.Next(words.Count);
        var thinned = new StringBuilder();
        for (var i = 0; i < words.Count; i++)
            if (random.NextDouble() >= options.Rate || i == stays) thinned.Append(words[i]);
        return thinned.ToString().Trim();
    }

    /// <summary>Words, each with the space before it.</summary>
    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var begin = 0;
        for (var elements = StringInfo.GetTextElementEnumerator(text); elements.MoveNext();)
        {
            var (at, single) = (elements.ElementIndex, IsWritten(text[elements.ElementIndex]));
            var afterSingle = at > begin && IsWritten(text[begin]);
            if (at > begin && (single || afterSingle || (char.IsWhiteSpace(text[at]) && !string.IsNullOrWhiteSpace(text[begin..at]))))
            {
                words.Add(text[begin..at]);
                begin = at;
            }
        }
        if (begin < text.Length) words.Add(text[begin..]);
        return words;
    }

    /// <summary>Whether a letter is of a script without spaces.</summary>
    private static bool IsWritten(char letter) => letter is >= '\u0e00' and <= '\u0e7f' or >= '\u3040' and <= '\u30ff' or >= '\u3400' and <= '\u9fff';
}
