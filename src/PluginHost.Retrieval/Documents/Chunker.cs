namespace PluginHost.Retrieval.Documents;

/// <summary>Cuts passages into chunks of a length: at the end of a paragraph where there is one, else of a sentence, else of a word, else anywhere but within a character.</summary>
/// <param name="most">Characters of a chunk at most. Range 16 to 100,000.</param>
public sealed class Chunker(int most)
{
    private static readonly string[] Ends = ["\n\n", "\n", ". ", "? ", "! ", "。", "; ", " "];

    /// <summary>The chunks in order; none is empty, and none lacks a word of its passage. A picture is one chunk.</summary>
    public IEnumerable<Passage> Cut(IEnumerable<Passage> passages)
    {
        foreach (var passage in passages)
        {
            if (passage.Picture is not null)
            {
                yield return passage;
                continue;
            }
            var from = 0;
            while (from < passage.Text.Length)
            {
                var length = Length(passage.Text.AsSpan(from));
                var text = passage.Text.Substring(from, length).Trim();
                if (text.Length > 0) yield return passage with { Text = text };
                from += length;
            }
        }
    }

    private int Length(ReadOnlySpan<char> rest)
    {
        if (rest.Length <= most) return rest.Length;
        var window = rest[..most];
        // An end in the first half would leave crumbs.
        foreach (var end in Ends)
            if (window.LastIndexOf(end) is var at && at >= most / 2) return at + end.Length;
        return char.IsHighSurrogate(window[^1]) ? most - 1 : most;
    }
}
