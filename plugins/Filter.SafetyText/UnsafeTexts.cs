using PluginHost.Sdk;

namespace Filter.SafetyText;

/// <summary>Unsafe words of one language.</summary>
internal interface IWordList
{
    /// <summary>Whether its language is written with spaces between words.</summary>
    bool Spaced { get; }

    /// <summary>The words and phrases of the list that stand in a text, as the list spells them.</summary>
    IEnumerable<string> Find(string text);
}

/// <summary>Holds every text of a sample against the lists. Score: the number of unsafe words; one is too many.</summary>
internal sealed class UnsafeTexts(Dictionary<string, IWordList> lists) : IFilter
{
    private const int Threshold = 1;

    public FilterDecision Decide(Sample sample)
    {
        var found = SampleText.Of(sample).SelectMany(item => ListsFor(item.Language)
            .SelectMany(list => list.Value.Find(item.Text).Select(word => $"{item.Place} has '{word}' of the list '{list.Key}'"))).ToList();
        return found.Count < Threshold
            ? new FilterDecision(true, 0, Threshold, "kept")
            : new FilterDecision(false, found.Count, Threshold, string.Join("; ", found.Take(3)));
    }

    public void Dispose()
    {
        // holds nothing open
    }

    // A word of one language may be innocent in another of the same script: a text is held against its own language's list, and
    // against those in another kind of writing, which can only be quotations.
    private IEnumerable<KeyValuePair<string, IWordList>> ListsFor(string? language) =>
        language is not null && lists.TryGetValue(language, out var own) ? lists.Where(list => list.Value == own || list.Value.Spaced != own.Spaced) : lists;
}
