using System.Globalization;
using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Filter.SafetyText;

/// <summary>How sure it is that a word is meant profanely: the npm package cuss, whose scripts are read and never run.</summary>
internal sealed partial class SurenessRatings(string folder)
{
    /// <summary>Rating of words that are likely profane.</summary>
    public const int Likely = 2;

    /// <summary>Rating of words that are unlikely profane.</summary>
    public const int Unlikely = 0;

    /// <summary>Ratings of a language, by folded word; empty where there are none.</summary>
    /// <exception cref="UserErrorException">The folder is missing, or a file holds no ratings.</exception>
    public Dictionary<string, int> Of(string language)
    {
        const string Install = "npm install cuss@2.2.0 (or leave 'ratings' out)";
        if (!Directory.Exists(folder)) throw new UserErrorException($"filter.safety-text: there are no ratings '{folder}'; install them beside the project file with: {Install}");
        var path = Path.Combine(folder, language == "en" ? "index.js" : language + ".js");
        if (!File.Exists(path)) return [];
        var ratings = new Dictionary<string, int>();
        foreach (Match line in Line().Matches(File.ReadAllText(path)))
            ratings[CharacterFold.Fold(line.Groups["word"].Value)] = int.Parse(line.Groups["rating"].ValueSpan, CultureInfo.InvariantCulture);
        return ratings.Count > 0 ? ratings : throw new UserErrorException($"filter.safety-text: '{path}' holds no lines of word and rating, such as 'word: 2,'; install it anew with: {Install}");
    }

    [GeneratedRegex(@"^\s*(?<quote>['""]?)(?<word>[^:'""*/]+)\k<quote>:\s*(?<rating>[012]),?\s*$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
