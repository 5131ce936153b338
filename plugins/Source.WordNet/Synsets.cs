using System.Security.Cryptography;
using System.Text;
using PluginHost.Sdk;

namespace Source.WordNet;

/// <summary>Synsets as samples: the gloss is the text, and each turn is a query with a gloss that answers it.</summary>
internal sealed class Synsets : ISource
{
    private const int MostWordsOfAPart = 5;

    private readonly WordNetOptions options;
    private readonly NegativeFile negatives;
    private readonly Dictionary<string, Synset> byId;
    private readonly Dictionary<string, Synset[]> splits;

    public Synsets(IReadOnlyList<Synset> synsets, WordNetOptions options, NegativeFile negatives)
    {
        (this.options, this.negatives) = (options, negatives);
        byId = synsets.ToDictionary(synset => synset.Id);
        // Neighbours in the file are of one subject: by a hash of their ids, a limit takes a fair part of all.
        splits = synsets.GroupBy(synset => PluginHost.Sdk.Splits.Of(synset.Id)).ToDictionary(group => group.Key, group => group.OrderBy(synset => Hash(synset.Id), StringComparer.Ordinal).ToArray());
        Fingerprint = Hash(string.Join('\n', synsets.Select(synset => $"{synset.Id} {string.Join('|', synset.Words)} {synset.Gloss} {string.Join('|', synset.Examples)} {string.Join('|', synset.Hyponyms)}"))
            + $"\n{options.Parts} {negatives.Fingerprint} {options.Found}");
    }

    public IReadOnlyList<string> Splits => [.. splits.Keys.Order(StringComparer.Ordinal)];

    public string Fingerprint { get; }

    public int Count(string split) => splits.TryGetValue(split, out var synsets) ? synsets.Length : 0;

    public Sample Read(string split, int index)
    {
        var synset = splits[split][index];
        return new Sample(synset.Id) { Texts = new Dictionary<string, string> { ["en"] = synset.Gloss }, Turns = [.. Turns(synset).Where(Asked)] };
    }

    public void Dispose()
    {
        // holds nothing
    }

    private IEnumerable<Turn> Turns(Synset synset)
    {
        foreach (var example in synset.Examples) yield return Turn("example", example, [synset.Gloss], 0);
        var words = string.Join(", ", synset.Words);
        yield return Turn("words", words, [synset.Gloss], 0);
        var below = synset.Hyponyms.Where(byId.ContainsKey).Select(id => byId[id].Gloss).Distinct().ToArray();
        for (var i = 0; i < below.Length; i++) yield return Turn("hypernym", words, below, i);
        for (var part = 0; part < options.Parts; part++)
            if (Part(synset, part) is { Length: > 0 } some) yield return Turn("part", some, [synset.Gloss], 0);
    }

    private Turn Turn(string task, string prompt, string[] right, int chosen) => new(task, prompt, right[chosen])
    {
        // Which others are right does not depend on which one is asked for, so that the list is shared.
        AlsoRight = right.Length == 1 ? [] : right,
        Wrong = negatives.Found.TryGetValue(prompt, out var found) ? [.. found.Wrong.Except(right)] : [],
    };

    private bool Asked(Turn turn) => !options.Found || (negatives.Found.TryGetValue(turn.Prompt, out var found) && found.Right.Contains(turn.Answer));

    // Some of the gloss's longer words, the same ones each time.
    private static string Part(Synset synset, int part)
    {
        var words = synset.Gloss.Split([' ', ',', ';', '(', ')', '.', ':', '"'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.Length > 3).Distinct().ToArray();
        var count = Math.Min(words.Length, 1 + part % MostWordsOfAPart);
        return string.Join(' ', words.OrderBy(word => Hash($"{synset.Id} {part} {word}"), StringComparer.Ordinal).Take(count));
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
