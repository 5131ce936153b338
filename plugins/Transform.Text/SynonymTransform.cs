// Replaces words by synonyms (EDA, Wei and Zou 2019) from WordNet, read in place. A word with many senses is left as it is, since nothing
// says which of them is meant.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Transform.Text;

/// <summary>Settings of <c>transform.synonym</c>.</summary>
/// <param name="Rate">The chance with which a word that has synonyms is replaced.</param>
/// <param name="MostSenses">Words with more senses are left as they are.</param>
/// <param name="WordNet">Folder of the database.</param>
/// <param name="Prompts">Whether prompts are changed too.</param>
public sealed record SynonymOptions(
    [property: Range(0.001, 1.0), Description("The chance with which a word that has synonyms is replaced.")] double Rate = 0.3,
    [property: Range(1, 100), Description("Words with more senses than that are left as they are; 1 changes the fewest meanings.")] int MostSenses = 3,
    [property: Description("Folder of WordNet's database: index.noun, data.noun and so on, as Debian's wordnet-base installs them.")] string WordNet = "/usr/share/wordnet",
    [property: Description("Whether prompts are changed too; set it where all of them are English.")] bool Prompts = false);

/// <summary>Synonyms in English captions.</summary>
[Plugin("transform.synonym", "Replaces words of English captions by synonyms from WordNet.")]
public sealed partial class SynonymTransform(SynonymOptions options) : ITransform
{
    private readonly Lazy<WordNet> words = new(() => new WordNet(options.WordNet));

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random) =>
        TextChange.Apply(sample, (language, text) => language == "en" ? Replaced(text, random) : text, options.Prompts ? text => Replaced(text, random) : null);

    private string Replaced(string text, Random random) => Word().Replace(text, match =>
    {
        if (random.NextDouble() >= options.Rate) return match.Value;
        var synonyms = words.Value.Synonyms(match.Value, options.MostSenses);
        return synonyms.Count == 0 ? match.Value : synonyms[random.Next(synonyms.Count)];
    });

    // Capitals begin names and sentences; both are left as they are.
    [GeneratedRegex(@"(?<![\p{L}\p{N}'’-])[a-z]{3,}(?![\p{L}\p{N}'’-])")]
    private static partial Regex Word();
}
