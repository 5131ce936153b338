using System.Globalization;
using System.Text;
using PluginHost.Sdk;

namespace Transform.Text;

/// <summary>
/// Synonyms from the database files of WordNet 3 (wndb(5WN)): <c>index.POS</c>, sorted lines <c>lemma pos senses pointers … offset…</c>, the most
/// frequent sense first, and <c>data.POS</c>, where a synset begins at its offset: <c>offset file type count word id word id …</c>.
/// </summary>
internal sealed class WordNet
{
    private static readonly string[] Parts = ["noun", "verb", "adj", "adv"];

    private readonly (byte[] Index, byte[] Data)[] files;

    /// <param name="folder">Where the database is.</param>
    /// <exception cref="UserErrorException">It is not there.</exception>
    public WordNet(string folder)
    {
        try
        {
            files = [.. Parts.Select(part => (File.ReadAllBytes(Path.Combine(folder, "index." + part)), File.ReadAllBytes(Path.Combine(folder, "data." + part))))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"transform.synonym: WordNet cannot be read in '{folder}': {error.Message} Install it with: apt-get install wordnet-base (or set 'wordNet' to its folder)");
        }
    }

    /// <summary>Single words that share the most frequent sense of a word; none for a word that is unknown or has more senses than that.</summary>
    public IReadOnlyList<string> Synonyms(string word, int mostSenses)
    {
        var found = files.Select(part => (part.Data, Senses: Senses(part.Index, word))).Where(part => part.Senses.Length > 0).ToArray();
        if (found.Length == 0 || found.Sum(part => part.Senses.Length) > mostSenses) return [];
        var (data, senses) = found[0];
        return [.. Words(data, senses[0]).Where(other => other != word && other.All(char.IsAsciiLetterLower)).Distinct()];
    }

    private static int[] Senses(byte[] index, string word)
    {
        if (Line(index, Encoding.ASCII.GetBytes(word + " ")) is not { } line) return [];
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var count = int.Parse(fields[2], CultureInfo.InvariantCulture);
        return [.. fields[^count..].Select(offset => int.Parse(offset, CultureInfo.InvariantCulture))];
    }

    /// <summary>The line that begins with a key, found by halving: lines are sorted by their bytes.</summary>
    private static string? Line(byte[] index, ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, index.Length);
        while (low < high)
        {
            var begin = (low + high) / 2;
            while (begin > low && index[begin - 1] != '\n') begin--;
            var length = index.AsSpan(begin).IndexOf((byte)'\n');
            var line = index.AsSpan(begin, length < 0 ? index.Length - begin : length);
            if (line.StartsWith(key)) return Encoding.ASCII.GetString(line);
            if (line.SequenceCompareTo(key) < 0) low = begin + line.Length + 1;
            else high = begin;
        }
        return null;
    }

    private static IEnumerable<string> Words(byte[] data, int offset)
    {
        var length = data.AsSpan(offset).IndexOf((byte)'\n');
        var fields = Encoding.ASCII.GetString(data.AsSpan(offset, length < 0 ? data.Length - offset : length)).Split(' ');
        var count = int.Parse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        // A word and its number in turn; an adjective may end in a marker such as (a).
        for (var i = 0; i < count; i++) yield return fields[4 + 2 * i].Split('(')[0];
    }
}
