using System.Globalization;
using Lingua;
using PluginHost.Sdk;

namespace Filter.Language;

/// <summary>Holds every text of a judged language against the detector. Score: the smallest probability of a claimed language.</summary>
internal sealed class TextLanguages(LanguageDetector detector, Dictionary<string, Lingua.Language> judged, double threshold, int shortest) : IFilter
{
    private const int LettersOfALogogram = 4;
    private const int LongestJudged = 2000; // characters; more tell nothing new

    public FilterDecision Decide(Sample sample)
    {
        var (score, notes) = (double.NaN, new List<string>());
        foreach (var item in SampleText.Of(sample).Where(item => item.Language is not null))
        {
            if (!judged.TryGetValue(item.Language!, out var claimed))
            {
                notes.Add($"{item.Place} not judged: '{item.Language}' is not among the languages");
                continue;
            }
            var (own, reason) = Judge(item.Text, claimed);
            if (double.IsNaN(own)) notes.Add($"{item.Place} not judged: {reason}");
            else if (own < threshold) return new FilterDecision(false, own, threshold, $"{item.Place} {reason}");
            else score = double.IsNaN(score) ? own : Math.Min(score, own);
        }
        return new FilterDecision(true, score, threshold, notes.Count == 0 ? "kept" : "kept; " + string.Join("; ", notes));
    }

    public void Dispose()
    {
        // The models are one set for all open filters; they go with the plugin.
    }

    private (double Own, string Reason) Judge(string text, Lingua.Language claimed)
    {
        var head = string.Concat((text.Length > LongestJudged ? text[..LongestJudged] : text).Select(Narrow));
        var letters = head.Sum(Letters);
        if (letters == 0) return (double.NaN, "no letters");
        var found = detector.ComputeLanguageConfidenceValues(head);
        var own = found.GetValueOrDefault(claimed);
        var (best, probability) = found.MaxBy(pair => pair.Value);
        if (letters < shortest && !IsToldByScript(own, best, probability, claimed)) return (double.NaN, $"{letters} letters are too few to tell");
        return (own, probability == 0
            ? $"is in the script of none of {string.Join(", ", detector.Languages.Select(LanguageFilter.Code))}"
            : string.Create(CultureInfo.InvariantCulture, $"is '{LanguageFilter.Code(best)}' with {probability:0.00}, and '{LanguageFilter.Code(claimed)}' with {own:0.00}"));
    }

    // A word of two languages of one script belongs to either; Chinese characters alone belong to Japanese too.
    private static bool IsToldByScript(double own, Lingua.Language best, double probability, Lingua.Language claimed) =>
        own == 0 && probability is 0 or 1 && !(IsLogographic(best) && IsLogographic(claimed));

    private static bool IsLogographic(Lingua.Language language) => language is Lingua.Language.Chinese or Lingua.Language.Japanese;

    // A full-width letter is a Latin one; the detector knows it as none.
    private static char Narrow(char letter) => letter is >= '\uFF01' and <= '\uFF5E' ? (char)(letter - 0xFEE0) : letter;

    private static int Letters(char character) => !char.IsLetter(character) ? 0 : character is >= '\u3040' and <= '\u9fff' or >= '\uac00' and <= '\ud7af' ? LettersOfALogogram : 1;
}
