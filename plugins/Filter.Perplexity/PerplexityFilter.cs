// Is a text like the others of its language? Cross-entropy under a character 4-gram model of the corpus itself, against a bound that
// garbage cannot move: median + k · MAD (scaled by 1.4826, so that k counts standard deviations of a normal distribution).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Filter.Perplexity;

/// <summary>Settings of <see cref="PerplexityFilter"/>.</summary>
/// <param name="Deviations">How far above the median a text may lie, in robust standard deviations of texts of its length.</param>
/// <param name="WordDeviations">The same where a dictionary is read: costs of words have no long tail.</param>
/// <param name="Threshold">A bound in bits a character; 0: from the corpus, by deviations.</param>
/// <param name="Shortest">Fewest characters of a text that is judged; a Chinese character counts for three.</param>
/// <param name="Fewest">Fewest texts of a language; with less, nothing is known to be usual.</param>
/// <param name="Reference">Folder of texts to learn from, one LANGUAGE.txt each; a language without a file learns from the corpus.</param>
/// <param name="Run">A trained run whose decoder judges texts of all languages, instead of a model of the corpus.</param>
/// <param name="Prompt">With a run: what its decoder takes texts for an answer to.</param>
/// <param name="Dictionary">Chinese words with their frequencies, one a line; without it Chinese is judged by its characters alone, which takes a large corpus.</param>
public sealed record PerplexityOptions(
    [property: Range(0.5, 100), Description("How far above the median a text may lie, in robust standard deviations of texts of its length; unused with a threshold.")] double Deviations = 4,
    [property: Range(0.5, 100), Description("The same where a dictionary is read.")] double WordDeviations = 3.5,
    [property: Range(0, 50), Description("A bound in bits a character; 0: from the corpus, by deviations.")] double Threshold = 0,
    [property: Range(1, 1000), Description("Fewest characters of a text that is judged; a Chinese character counts for three.")] int Shortest = 15,
    [property: Range(3, 1_000_000), Description("Fewest texts of a language, in the corpus; with less, nothing is known to be usual.")] int Fewest = 50,
    [property: Description("Folder of texts to learn from, one LANGUAGE.txt each; a language without a file learns from the corpus.")] string? Reference = null,
    [property: Description("Chinese words with their frequencies, one a line; without it Chinese is judged by its characters alone, which takes a large corpus.")] string? Dictionary = null,
    [property: Description("A trained run whose decoder judges texts of all languages, instead of a model of the corpus: its folder, its name, or 'latest'.")] string? Run = null,
    [property: Description("With a run: what its decoder takes texts for an answer to, such as 'describe the picture.'.")] string Prompt = "");

/// <summary>Perplexity.</summary>
[Plugin("filter.perplexity", "Drops samples with a text unlike the others of its language: shuffled letters, keyboard mash, broken encodings.")]
[Requires(Capability.TextScorer, From = nameof(PerplexityOptions.Run), Optional = true)]
public sealed class PerplexityFilter(PerplexityOptions options) : IFilterPlugin
{
    /// <inheritdoc/>
    public IFilter Open(FilterContext context)
    {
        if (options.Run is not null)
        {
            if ((options.Reference ?? options.Dictionary) is not null)
                throw new UserErrorException("filter.perplexity: the decoder of a run judges texts of all languages, so that nothing is learnt from 'reference' or 'dictionary'; leave these out, or 'run'");
            var scorer = context.Build.Required<ITextScorer>();
            return new UsualTexts(options, _ => new DecoderModel(scorer, options.Prompt, context.Build.Cancellation), []);
        }
        var around = Path.GetFullPath(context.Folder);
        var words = options.Dictionary is { } dictionary ? WordFrequencies.Read(Path.GetFullPath(dictionary, around)) : null;
        ITextModel Make(string language) => words is not null && language == "zh" ? new WordModel(words) : new CharacterModel();
        var models = new Dictionary<string, ITextModel>();
        if (options.Reference is { } reference)
        {
            var folder = Path.GetFullPath(reference, around);
            if (!Directory.Exists(folder) || Directory.GetFiles(folder, "*.txt") is not { Length: > 0 } files)
                throw new UserErrorException($"filter.perplexity: the folder '{folder}' has no LANGUAGE.txt, such as en.txt; put texts there, one a line, or leave 'reference' out");
            foreach (var file in files.Order(StringComparer.Ordinal))
            {
                var language = Path.GetFileNameWithoutExtension(file);
                models[language] = Learn(file, Make(language), context.Build.Cancellation);
            }
        }
        return new UsualTexts(options, Make, models);
    }

    private static ITextModel Learn(string path, ITextModel model, CancellationToken cancellation)
    {
        foreach (var line in File.ReadLines(path))
        {
            cancellation.ThrowIfCancellationRequested();
            model.Add(line);
        }
        return model;
    }
}
