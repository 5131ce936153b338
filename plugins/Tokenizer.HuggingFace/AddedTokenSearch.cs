using System.Buffers;

namespace Tokenizer.HuggingFace;

/// <summary>Finds added tokens in a text: the leftmost, of those the longest.</summary>
internal sealed class AddedTokenSearch
{
    private readonly AddedToken[] tokens;
    private readonly SearchValues<string>? any;

    public AddedTokenSearch(IEnumerable<AddedToken> added)
    {
        tokens = [.. added.OrderByDescending(token => token.Content.Length)];
        if (tokens.Length > 0) any = SearchValues.Create([.. tokens.Select(token => token.Content)], StringComparison.Ordinal);
    }

    /// <summary>The next one and the text that it takes up, blanks beside it included where it asks for them.</summary>
    public (int Id, int Start, int End)? Next(string text, int from)
    {
        if (any is null) return null;
        var at = text.AsSpan(from).IndexOfAny(any);
        if (at < 0) return null;
        var start = from + at;
        var token = tokens.First(candidate => text.AsSpan(start).StartsWith(candidate.Content, StringComparison.Ordinal));
        var end = start + token.Content.Length;
        while (token.LeftStrip && start > from && char.IsWhiteSpace(text[start - 1])) start--;
        while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end])) end++;
        return (token.Id, start, end);
    }
}
