using System.Text.RegularExpressions;

namespace Filter.SafetyText;

/// <summary>Finds whole words and phrases, whatever they are disguised by.</summary>
internal sealed partial class SpacedWordList : IWordList
{
    private const int MostReadings = 32;
    private const int ShortestSpelledOut = 3;

    private readonly ILookup<string, Entry> byFirstWord;
    private readonly string[] symbols;

    public SpacedWordList(IEnumerable<string> words)
    {
        var entries = words.Select(word => new Entry(word, [.. Words().Matches(CharacterFold.Fold(word)).Select(match => match.Value)])).ToList();
        byFirstWord = entries.Where(entry => entry.Words.Length > 0).ToLookup(entry => entry.Words[0]);
        symbols = [.. entries.Where(entry => entry.Words.Length == 0).Select(entry => entry.Spelling)];
    }

    public bool Spaced => true;

    public IEnumerable<string> Find(string text)
    {
        foreach (var symbol in symbols.Where(symbol => text.Contains(symbol, StringComparison.Ordinal))) yield return symbol;
        var folded = CharacterFold.Fold(text);
        var inLatin = folded.Any(char.IsAsciiLetter);
        var words = Words().Matches(folded).Select(match => match.Value).ToArray();
        var readings = words.Select(word => Readings(word, inLatin)).ToArray();
        for (var i = 0; i < words.Length; i++)
        {
            var at = i;
            var entry = readings[i].SelectMany(reading => byFirstWord[reading]).FirstOrDefault(entry => entry.StandsAt(readings, at));
            if (entry is not null) yield return entry.Spelling;
        }
        foreach (var word in SpelledOut(words).SelectMany(word => Readings(word, inLatin)))
            if (byFirstWord[word].FirstOrDefault(entry => entry.Words.Length == 1) is { } entry) yield return entry.Spelling;
    }

    /// <summary>Runs of single letters: a word with its letters apart.</summary>
    private static IEnumerable<string> SpelledOut(string[] words)
    {
        var run = "";
        foreach (var word in words.Append("end"))
        {
            if (word.Length == 1)
            {
                run += word;
                continue;
            }
            // 'a' and 'I' may stand beside a word whose letters are apart.
            string[] candidates = [run, .. run.StartsWith('a') || run.StartsWith('i') ? [run[1..]] : (string[])[], .. run.EndsWith('a') ? [run[..^1]] : (string[])[]];
            foreach (var candidate in candidates.Where(candidate => candidate.Length >= ShortestSpelledOut)) yield return candidate;
            run = "";
        }
    }

    /// <summary>What a word may stand for: itself, without look-alikes, digits for letters, stretched letters, a plural.</summary>
    private HashSet<string> Readings(string word, bool inLatin)
    {
        var readings = new HashSet<string> { word };
        if (inLatin && CharacterFold.Unmask(word) is { } latin) readings.Add(latin);
        foreach (var reading in readings.ToArray()) readings.UnionWith(LeetReadings(reading));
        foreach (var reading in readings.ToArray())
        {
            readings.Add(Stretched().Replace(reading, "$1"));
            readings.Add(Stretched().Replace(reading, "$1$1"));
        }
        foreach (var reading in readings.ToArray()) readings.UnionWith(Singulars(reading));
        foreach (var reading in readings.ToArray()) readings.UnionWith(Verbs(reading));
        return readings;
    }

    // 'A55' and '4th' are no words in disguise: digits may not outnumber letters.
    private static IEnumerable<string> LeetReadings(string word)
    {
        var (letters, digits) = (word.Count(char.IsLetter), word.Count(char.IsDigit));
        if (letters == 0 || digits > letters || letters == word.Length) return [];
        IEnumerable<string> readings = [""];
        foreach (var character in word)
            readings = readings.SelectMany(start => Letters(character).Select(letter => start + letter)).Take(MostReadings);
        return readings.ToList();
    }

    private static string Letters(char character) => character switch
    {
        '0' => "o",
        '1' or '!' => "il",
        '3' => "e",
        '4' or '@' => "a",
        '5' or '$' => "s",
        '7' => "t",
        _ => character.ToString(),
    };

    // Not of a word that itself ends in s: 'assess' is no plural.
    private static IEnumerable<string> Singulars(string word)
    {
        if (word.Length < 4 || !word.EndsWith('s') || word[^2] == 's') yield break;
        yield return word[..^1];
        if (SibilantPlural().IsMatch(word)) yield return word[..^2];
    }

    // A list that holds a verb and its -ing means its other forms too.
    private IEnumerable<string> Verbs(string word) => ((string[])["er", "ed"]).Where(ending => word.EndsWith(ending, StringComparison.Ordinal))
        .Select(_ => word[..^2]).Where(stem => byFirstWord.Contains(stem) && byFirstWord.Contains(stem + "ing"));

    // Signs that stand for letters belong to a word only where a letter or digit follows, or, for $ and @, precedes.
    [GeneratedRegex(@"(?:[\p{L}\p{M}\p{Nd}]|[@$!](?=[\p{L}\p{Nd}@$])|(?<=[\p{L}\p{Nd}@$])[@$])+")]
    private static partial Regex Words();

    [GeneratedRegex(@"(.)\1{2,}")]
    private static partial Regex Stretched();

    [GeneratedRegex("(?:[sxz]|[cs]h)es$")]
    private static partial Regex SibilantPlural();

    private sealed record Entry(string Spelling, string[] Words)
    {
        public bool StandsAt(HashSet<string>[] readings, int start)
        {
            if (start + Words.Length > readings.Length) return false;
            for (var i = 0; i < Words.Length; i++)
                if (!readings[start + i].Contains(Words[i])) return false;
            return true;
        }
    }
}
