namespace Tokenizer.HuggingFace;

/// <summary>
/// Remembers the tokens of words. A word has one place, by its hash, and takes it from whatever was there before: neither looking up nor remembering waits for
/// other threads, and a text whose words change is remembered too. Entries are never changed, so threads see all of one or another.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Words that are remembered at most, and their longest.</summary>
    private const int Places = 65_536;
    private const int Longest = 40;

    private readonly Entry?[] entries = new Entry?[Places];

    /// <summary>The word's place; negative where it is too long to have one.</summary>
    public static int Place(ReadOnlySpan<char> word) => word.Length > Longest ? -1 : string.GetHashCode(word) & (Places - 1);

    /// <summary>The tokens of a word; null if they are not known.</summary>
    public int[]? Find(ReadOnlySpan<char> word, int place) => entries[place] is { } entry && word.SequenceEqual(entry.Word) ? entry.Tokens : null;

    public void Keep(ReadOnlySpan<char> word, int place, ReadOnlySpan<int> tokens) => entries[place] = new Entry(word.ToString(), tokens.ToArray());

    private sealed record Entry(string Word, int[] Tokens);
}
