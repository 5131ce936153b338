// Is each caption in the language that it claims? Lingua: naive Bayes over character 1- to 5-grams, after rules by script. It is
// limited to the project's languages and their likeliest confusions, since each language costs memory and blurs the others.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lingua;
using PluginHost.Sdk;

namespace Filter.Language;

/// <summary>Settings of <see cref="LanguageFilter"/>.</summary>
/// <param name="Languages">Languages whose texts are judged, by ISO 639-1 code; by default en and zh.</param>
/// <param name="Decoys">Further languages that a text may turn out to be in; by default those often taken for the judged ones.</param>
/// <param name="Threshold">Smallest probability of the claimed language.</param>
/// <param name="Shortest">Fewest letters of a text that is judged by more than its script.</param>
public sealed record LanguageOptions(
    [property: Description("Languages whose texts are judged, by ISO 639-1 code; by default [\"en\", \"zh\"].")] string[]? Languages = null,
    [property: Description("Further languages that a text may turn out to be in; by default those often taken for the judged ones.")] string[]? Decoys = null,
    [property: Range(0.001, 0.9), Description("Smallest probability of the claimed language.")] double Threshold = 0.17,
    [property: Range(1, 1000), Description("Fewest letters of a text that is judged by more than its script; a Chinese character counts for four.")] int Shortest = 16);

/// <summary>Language.</summary>
[Plugin("filter.language", "Drops samples with a text that is not in the language it claims.")]
public sealed class LanguageFilter(LanguageOptions options) : IFilterPlugin
{
    private static readonly string[] DefaultLanguages = ["en", "zh"];

    private static readonly Dictionary<string, string[]> Confusions = new()
    {
        ["zh"] = ["ja"],
        ["ja"] = ["zh"],
        ["ru"] = ["uk", "bg"],
        ["uk"] = ["ru"],
        ["bg"] = ["ru", "mk"],
        ["fa"] = ["ar", "ur"],
        ["ar"] = ["fa", "ur"],
        ["hi"] = ["mr"],
        ["cs"] = ["sk", "pl"],
        ["da"] = ["nb", "sv"],
        ["nb"] = ["da", "sv"],
        ["sv"] = ["da", "nb"],
        ["id"] = ["ms"],
        ["pt"] = ["gl", "es"],
        ["es"] = ["pt", "ca"],
    };

    // Latin script is where most mix-ups happen, and a script without a decoy needs none.
    private static readonly string[] Latin = ["en", "de", "fr", "es", "it", "nl"];
    private static readonly HashSet<string> NotLatin =
        ["zh", "ja", "ko", "ru", "uk", "bg", "mk", "be", "kk", "mn", "sr", "fa", "ar", "ur", "he", "hi", "mr", "bn", "gu", "pa", "ta", "te", "si", "th", "ka", "hy", "el", "am", "ti"];

    /// <inheritdoc/>
    public IFilter Open(FilterContext context)
    {
        var judged = (options.Languages ?? DefaultLanguages).Distinct().ToDictionary(code => code, Find);
        if (judged.Count == 0) throw new UserErrorException("filter.language: 'languages' is empty: name at least one, such as [\"en\"]");
        var decoys = options.Decoys?.Select(Find) ?? judged.Keys.SelectMany(Alike).Select(TryFind).OfType<Lingua.Language>();
        Lingua.Language[] all = [.. judged.Values.Concat(decoys).Distinct()];
        // Lingua wants two languages; an only one is told from English.
        if (all.Length == 1) all = [.. all, all[0] == Lingua.Language.English ? Lingua.Language.German : Lingua.Language.English];
        var detector = LanguageDetectorBuilder.FromLanguages(all)
            .WithLanguageModelsDirectory(Path.Combine(context.Build.ContentFolder, "Lingua", "LanguageModels")).Build();
        return new TextLanguages(detector, judged, options.Threshold, options.Shortest);
    }

    private static IEnumerable<string> Alike(string code) => Confusions.GetValueOrDefault(code, []).Concat(NotLatin.Contains(code) ? [] : Latin);

    private static Lingua.Language Find(string code) => TryFind(code)
        ?? throw new UserErrorException($"filter.language: '{code}' is no language that can be told; known are {string.Join(", ", LanguageInfo.All().Select(Code).Order())}");

    private static Lingua.Language? TryFind(string code) => LanguageInfo.All().Where(language => Code(language) == code).Cast<Lingua.Language?>().FirstOrDefault();

    internal static string Code(Lingua.Language language) => LanguageInfo.IsoCode6391(language).ToString().ToLowerInvariant();
}
