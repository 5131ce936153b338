using System.Globalization;
using PluginHost.Sdk;

namespace Filter.SafetyText;

/// <summary>
/// The most likely cut of Chinese text into words: the path of highest probability through all words of a dictionary that stand
/// in it, each word by its frequency (a unigram model, as in jieba).
/// </summary>
internal sealed class ChineseSegmenter
{
    private const int LongestWord = 8;
    private readonly Dictionary<string, double> words;
    private readonly double logTotal;

    private ChineseSegmenter(Dictionary<string, double> words)
    {
        this.words = words;
        logTotal = Math.Log(words.Values.Sum());
    }

    /// <summary>Reads lines of word, frequency and perhaps more, parted by spaces.</summary>
    /// <exception cref="UserErrorException">A line is of another form.</exception>
    public static ChineseSegmenter Read(string path)
    {
        var (words, number) = (new Dictionary<string, double>(), 0);
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0) continue;
            var parts = line.Split(' ');
            if (parts.Length < 2 || !double.TryParse(parts[1], CultureInfo.InvariantCulture, out var frequency) || frequency < 0)
                throw new UserErrorException($"filter.safety-text: {path}({number}): '{line}' is not a word and its frequency, such as '海边 1300 s'");
            words[parts[0]] = Math.Max(1, frequency);
        }
        return words.Count > 0 ? new ChineseSegmenter(words) : throw new UserErrorException($"filter.safety-text: '{path}' holds no words; is 'dictionary' right?");
    }

    /// <summary>How often a word is met; 0 when the dictionary lacks it.</summary>
    public double Frequency(string word) => words.GetValueOrDefault(word);

    /// <summary>Makes a word known that the dictionary may lack.</summary>
    public void Add(string word, double frequency) => words.TryAdd(word, frequency);

    /// <summary>Where words begin and end: true at each boundary, from 0 to the text's length.</summary>
    public bool[] Boundaries(string text)
    {
        var (best, next) = (new double[text.Length + 1], new int[text.Length + 1]);
        for (var start = text.Length - 1; start >= 0; start--)
        {
            best[start] = double.NegativeInfinity;
            for (var end = start + 1; end <= Math.Min(text.Length, start + LongestWord); end++)
            {
                var frequency = end == start + 1 ? Math.Max(1, Frequency(text[start..end])) : Frequency(text[start..end]);
                if (frequency == 0 || Math.Log(frequency) - logTotal + best[end] <= best[start]) continue;
                (best[start], next[start]) = (Math.Log(frequency) - logTotal + best[end], end);
            }
        }
        var boundaries = new bool[text.Length + 1];
        for (var at = 0; at < text.Length; at = next[at]) boundaries[at] = true;
        boundaries[text.Length] = true;
        return boundaries;
    }
}
