// WordNet's nouns (Miller 1995) as queries and the glosses that answer them, read from the files of Debian's wordnet-base in place.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Source.WordNet;

/// <summary>Settings of <c>source.wordnet</c>.</summary>
/// <param name="Folder">Folder of the WordNet database files.</param>
/// <param name="Every">Only every so manieth synset takes part.</param>
/// <param name="Parts">Turns of a synset that ask for its gloss by some of its words.</param>
/// <param name="Negatives">A file of what a search brings for prompts.</param>
/// <param name="Found">Whether only answers are asked for that the search brings.</param>
public sealed record WordNetOptions(
    [property: Description("Folder of the WordNet database files (data.noun).")] string Folder = "/usr/share/wordnet",
    [property: Range(1, 1000), Description("Only every so manieth synset takes part, for trials.")] int Every = 1,
    [property: Range(0, 16), Description("Turns of a synset that ask for its gloss by some of the gloss's words (task 'part').")] int Parts = 4,
    [property: Description("A file of JSON lines {\"prompt\": ..., \"right\": [...], \"wrong\": [...]}: answers that a search brings for a prompt; none by default.")] string? Negatives = null,
    [property: Description("Only turns of prompts in that file whose answer the search brings: what puts a search's findings in order sees no others.")] bool Found = false);

/// <summary>Noun synsets: what is asked, and the gloss that answers.</summary>
[Plugin("source.wordnet", "WordNet's noun synsets: example sentences, words and hypernyms as queries, glosses as the passages that answer them.")]
public sealed class WordNetSource(WordNetOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context)
    {
        var folder = Path.GetFullPath(options.Folder, Path.GetFullPath(context.Folder));
        var file = Path.Combine(folder, "data.noun");
        if (!File.Exists(file))
            throw new UserErrorException($"source.wordnet: there is no '{file}': install it with: apt-get install wordnet-base (or set 'folder')");
        var synsets = SynsetReader.Read(file, options.Every, context.Reject);
        if (synsets.Count == 0) throw new UserErrorException($"source.wordnet: '{file}' holds no synset; is 'folder' right?");
        var negatives = options.Negatives is { } name ? NegativeFile.Read(Path.GetFullPath(name, Path.GetFullPath(context.Folder))) : new NegativeFile(new Dictionary<string, FoundAnswers>(), "");
        return new Synsets(synsets, options, negatives);
    }
}
