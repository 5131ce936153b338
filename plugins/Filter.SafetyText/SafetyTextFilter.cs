// Word lists against disguises: whole words after folding look-alikes, Chinese by the most likely segmentation.
using System.ComponentModel;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace Filter.SafetyText;

/// <summary>Settings of <see cref="SafetyTextFilter"/>.</summary>
/// <param name="Lists">Folder of the word lists, one LANGUAGE.json each: an array of words and phrases.</param>
/// <param name="Dictionary">Chinese words with their frequencies, one a line; read when zh is among the languages.</param>
/// <param name="Languages">Languages whose lists apply; by default en and zh.</param>
/// <param name="Allow">Words and phrases of the lists that are allowed.</param>
/// <param name="Ratings">Folder of ratings of sureness, index.js for English and LANGUAGE.js for others; null: none.</param>
public sealed record SafetyTextOptions(
    [property: Description("Folder of the word lists, one LANGUAGE.json each: an array of words and phrases.")] string Lists = "node_modules/naughty-words",
    [property: Description("Chinese words with their frequencies, one a line; read when zh is among the languages.")] string Dictionary = "node_modules/@node-rs/jieba/dict.txt",
    [property: Description("Languages whose lists apply; by default [\"en\", \"zh\"].")] string[]? Languages = null,
    [property: Description("Words and phrases of the lists that are allowed.")] string[]? Allow = null,
    [property: Description("Folder of ratings of sureness (npm's cuss: 2 likely profane, 0 unlikely), index.js for English and LANGUAGE.js for others: adds words that are rated 2, and lets one that is rated 0 count half; null: none.")] string? Ratings = null);

/// <summary>Safety of text.</summary>
[Plugin("filter.safety-text", "Drops samples with a word of a list of unsafe words, in disguise too.")]
public sealed class SafetyTextFilter(SafetyTextOptions options) : IFilterPlugin
{
    private const string Chinese = "zh";
    private static readonly string[] DefaultLanguages = ["en", Chinese];
    private static readonly HashSet<string> WithoutSpaces = ["ja", "th"];

    /// <inheritdoc/>
    public IFilter Open(FilterContext context)
    {
        var around = Path.GetFullPath(context.Folder);
        var ratings = options.Ratings is { } folder ? new SurenessRatings(Path.GetFullPath(folder, around)) : null;
        var allowed = (options.Allow ?? []).Select(CharacterFold.Fold).ToHashSet();
        var lists = new Dictionary<string, RatedList>();
        foreach (var language in (options.Languages ?? DefaultLanguages).Distinct())
        {
            context.Build.Cancellation.ThrowIfCancellationRequested();
            if (WithoutSpaces.Contains(language))
                throw new UserErrorException($"filter.safety-text: '{language}' is written without spaces and cannot be cut into words here; of such languages only zh can");
            var rated = ratings?.Of(language) ?? new Dictionary<string, int>();
            var words = Read(Path.GetFullPath(Path.Combine(options.Lists, language + ".json"), around), language).Union(rated.Where(word => word.Value == SurenessRatings.Likely).Select(word => word.Key))
                .Where(word => !allowed.Contains(CharacterFold.Fold(word))).ToList();
            var doubtful = words.Where(word => rated.GetValueOrDefault(CharacterFold.Fold(word), SurenessRatings.Likely) == SurenessRatings.Unlikely).ToHashSet();
            lists.Add(language, new RatedList(language == Chinese ? new ChineseWordList(words, Segmenter(around)) : new SpacedWordList(words), doubtful));
        }
        return new UnsafeTexts(lists);
    }

    private List<string> Read(string path, string language)
    {
        const string Install = "npm install naughty-words@1.2.0 (or set 'lists')";
        if (!File.Exists(path))
            throw new UserErrorException($"filter.safety-text: there is no word list '{path}' for '{language}'; install the lists beside the project file with: {Install}");
        try
        {
            return [.. JsonNode.Parse(File.ReadAllText(path))!.AsArray().Select(word => word!.GetValue<string>()).Where(word => !string.IsNullOrWhiteSpace(word))];
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new UserErrorException($"filter.safety-text: '{path}' is no JSON array of words ({error.Message}); install it anew with: {Install}");
        }
    }

    private ChineseSegmenter Segmenter(string folder)
    {
        var path = Path.GetFullPath(options.Dictionary, Path.GetFullPath(folder));
        return File.Exists(path) ? ChineseSegmenter.Read(path) : throw new UserErrorException(
            $"filter.safety-text: there is no Chinese dictionary '{path}'; install it beside the project file with: npm install @node-rs/jieba@2.0.1 (or set 'dictionary', or 'languages' without zh)");
    }
}
