using System.Globalization;
using PluginHost.Sdk;

namespace Source.WordNet;

/// <summary>A noun synset.</summary>
/// <param name="Id">Its place in the database with an n before it: <c>n02084071</c>.</param>
/// <param name="Words">Its words, with blanks.</param>
/// <param name="Gloss">Its definition, without examples.</param>
/// <param name="Examples">Its example sentences.</param>
/// <param name="Hyponyms">Ids of its direct hyponyms, instances included.</param>
internal sealed record Synset(string Id, IReadOnlyList<string> Words, string Gloss, IReadOnlyList<string> Examples, IReadOnlyList<string> Hyponyms);

/// <summary>Reads <c>data.noun</c> (wndb(5WN)).</summary>
internal static class SynsetReader
{
    /// <summary>The synsets in the order of the file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="every">Only every so manieth.</param>
    /// <param name="reject">Told of lines that are none.</param>
    public static List<Synset> Read(string file, int every, Action<Rejection> reject)
    {
        var synsets = new List<Synset>();
        var number = 0;
        var found = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (line.StartsWith("  ", StringComparison.Ordinal)) continue; // the licence
            try
            {
                if (found++ % every == 0) synsets.Add(Parse(line));
            }
            catch (Exception error) when (error is FormatException or IndexOutOfRangeException or ArgumentOutOfRangeException)
            {
                reject(new Rejection($"{Path.GetFileName(file)}:{number}", "is no line of a WordNet database: offset, file, type, words, pointers | gloss"));
            }
        }
        return synsets;
    }

    private static Synset Parse(string line)
    {
        var bar = line.IndexOf(" | ", StringComparison.Ordinal);
        var fields = line[..bar].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var words = int.Parse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var at = 4 + 2 * words;
        var pointers = int.Parse(fields[at++], CultureInfo.InvariantCulture);
        var hyponyms = Enumerable.Range(0, pointers).Select(pointer => at + 4 * pointer)
            .Where(place => fields[place] is "~" or "~i" && fields[place + 2] == "n").Select(place => "n" + fields[place + 1]).ToArray();
        var (gloss, examples) = Gloss(line[(bar + 3)..].Trim());
        return new Synset("n" + fields[0], [.. Enumerable.Range(0, words).Select(word => fields[4 + 2 * word].Replace('_', ' '))], gloss, examples, hyponyms);
    }

    // A definition, and behind it examples in quotation marks.
    private static (string Gloss, IReadOnlyList<string> Examples) Gloss(string text)
    {
        var quote = text.IndexOf("; \"", StringComparison.Ordinal);
        if (quote < 0) return (text, []);
        var examples = text[(quote + 2)..].Split('"').Where((_, part) => part % 2 == 1).Select(example => example.Trim()).Where(example => example.Length > 0);
        return (text[..quote].Trim(), [.. examples]);
    }
}
