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

/// <summary>A word list, and which of its words are more often innocent than not.</summary>
internal sealed record RatedList(IWordList Words, IReadOnlySet<string> Doubtful);

/// <summary>Holds every text of a sample against the lists. Score: the unsafe words, of which doubtful ones count half; one is too many.</summary>
internal sealed class UnsafeTexts(Dictionary<string, RatedList> lists) : IFilter
{
    private const int Threshold = 1;
    private const double Doubtful = 0.5;

    public FilterDecision Decide(Sample sample)
    {
        var found = SampleText.Of(sample).SelectMany(item => ListsFor(item.Language)
            .SelectMany(list => list.Value.Words.Find(item.Text).Select(word => (Weight: list.Value.Doubtful.Contains(word) ? Doubtful : 1, Reason: $"{item.Place} has '{word}' of the list '{list.Key}'")))).ToList();
        var score = found.Sum(word => word.Weight);
        return score < Threshold
            ? new FilterDecision(true, score, Threshold, "kept")
            : new FilterDecision(false, score, Threshold, string.Join("; ", found.Take(3).Select(word => word.Reason)));
    }

    public void Dispose()
    {
        // holds nothing open
    }

    // A word of one language may be innocent in another of the same script: a text is held against its own language's list, and
    // against those in another kind of writing, which can only be quotations.
    private IEnumerable<KeyValuePair<string, RatedList>> ListsFor(string? language) =>
        language is not null && lists.TryGetValue(language, out var own) ? lists.Where(list => list.Value == own || list.Value.Words.Spaced != own.Words.Spaced) : lists;
}
