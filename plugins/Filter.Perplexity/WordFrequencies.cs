using System.Globalization;
using PluginHost.Sdk;

namespace Filter.Perplexity;

/// <summary>Words of a dictionary with what each costs, and its part of speech where the dictionary states it.</summary>
internal sealed class WordFrequencies
{
    private readonly Dictionary<string, (double Count, char Part)> words;
    private readonly double logTotal;

    private WordFrequencies(Dictionary<string, (double Count, char Part)> words) => (this.words, logTotal) = (words, Math.Log2(words.Values.Sum(word => word.Count)));

    /// <summary>Bits of a word that is in no dictionary.</summary>
    public double Unknown => logTotal;

    /// <summary>Reads lines of word, frequency and perhaps part of speech, parted by spaces.</summary>
    /// <exception cref="UserErrorException">It is missing, or a line is of another form.</exception>
    public static WordFrequencies Read(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException($"filter.perplexity: there is no Chinese dictionary '{path}'; install one beside the project file with: npm install @node-rs/jieba@2.0.1 (its dict.txt), or leave 'dictionary' out");
        var (words, number) = (new Dictionary<string, (double, char)>(), 0);
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0) continue;
            var parts = line.Split(' ');
            if (parts.Length < 2 || !double.TryParse(parts[1], CultureInfo.InvariantCulture, out var frequency) || frequency < 0)
                throw new UserErrorException($"filter.perplexity: {path}({number}): '{line}' is not a word and its frequency, such as '海边 1300 s'");
            words[parts[0]] = (Math.Max(1, frequency), parts.Length > 2 && parts[2].Length > 0 ? parts[2][0] : 'x');
        }
        return words.Count > 0 ? new WordFrequencies(words) : throw new UserErrorException($"filter.perplexity: '{path}' holds no words; is 'dictionary' right?");
    }

    /// <summary>Bits of a word, and its part of speech; null when the dictionary lacks it.</summary>
    public (double Bits, char Part)? Find(ReadOnlySpan<char> word) =>
        words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out var found) ? (logTotal - Math.Log2(found.Count), found.Part) : null;
}
