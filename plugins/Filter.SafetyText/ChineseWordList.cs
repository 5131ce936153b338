using System.Text.RegularExpressions;

namespace Filter.SafetyText;

/// <summary>Finds words in text without spaces: where the text, cut into its likeliest words, has a cut before and after them.</summary>
internal sealed partial class ChineseWordList : IWordList
{
    private const double UnknownWord = 50;     // frequency of a listed word that the dictionary lacks
    private const double OrdinaryWord = 500;   // a listed single character that is met more often is an everyday word

    private readonly ChineseSegmenter segmenter;
    private readonly string[] words;
    private readonly SpacedWordList latin;

    public ChineseWordList(IEnumerable<string> entries, ChineseSegmenter segmenter)
    {
        this.segmenter = segmenter;
        var all = entries.ToList();
        words = [.. all.Select(CharacterFold.Fold).Where(word => Runs().IsMatch(word) && !(word.Length == 1 && segmenter.Frequency(word) > OrdinaryWord)).Distinct()];
        foreach (var word in words) segmenter.Add(word, UnknownWord);
        // A figure or a sign alone ('13.') says nothing without the characters that it stands for.
        latin = new SpacedWordList(all.Where(word => !Runs().IsMatch(CharacterFold.Fold(word)) && word.Any(char.IsLetter)));
    }

    public bool Spaced => false;

    public IEnumerable<string> Find(string text)
    {
        var folded = Apart().Replace(CharacterFold.Fold(text), "");
        foreach (Match run in Runs().Matches(folded))
        {
            var boundaries = segmenter.Boundaries(run.Value);
            foreach (var word in words.Where(word => StandsIn(run.Value, word, boundaries))) yield return word;
        }
        foreach (var word in latin.Find(text)) yield return word;
    }

    private static bool StandsIn(string run, string word, bool[] boundaries)
    {
        for (var at = run.IndexOf(word, StringComparison.Ordinal); at >= 0; at = run.IndexOf(word, at + 1, StringComparison.Ordinal))
            if (boundaries[at] && boundaries[at + word.Length]) return true;
        return false;
    }

    [GeneratedRegex(@"[\u3400-\u9fff][\u3400-\u9fff\w]*")]
    private static partial Regex Runs();

    // Spaces and signs between two characters, put there to hide a word.
    [GeneratedRegex(@"(?<=[\u3400-\u9fff])[\s*._·-]+(?=[\u3400-\u9fff])")]
    private static partial Regex Apart();
}
