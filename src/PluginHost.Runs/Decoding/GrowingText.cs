using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// Text of tokens that come one by one. Only a window of the last tokens is decoded each time. A replacement character at the end may be a
/// code point whose other bytes are still to come, and is held back.
/// </summary>
internal sealed class GrowingText(ITokenizer tokenizer)
{
    // Four bytes at most make a code point, a token each at worst; some more, since special tokens among them decode to nothing.
    private const int Kept = 8;
    private const char Incomplete = '\uFFFD';

    private readonly List<int> window = new(2 * Kept);
    private int given; // characters of the window's text that have been handed out

    /// <summary>Adds a token; returns the text that is now certain.</summary>
    public string Add(int token)
    {
        window.Add(token);
        var text = tokenizer.Decode(window);
        var piece = Take(text, text.EndsWith(Incomplete) ? text.Length - 1 : text.Length);
        if (window.Count == 2 * Kept) Narrow();
        return piece;
    }

    /// <summary>What was held back: no more tokens come.</summary>
    public string Flush()
    {
        var text = tokenizer.Decode(window);
        return Take(text, text.Length);
    }

    private string Take(string text, int end)
    {
        if (end <= given) return "";
        var piece = text[given..end];
        given = end;
        return piece;
    }

    // The shorter window may begin inside a code point, but its text does so each time: what is counted stays the same.
    private void Narrow()
    {
        window.RemoveRange(0, Kept);
        var text = tokenizer.Decode(window);
        given = text.EndsWith(Incomplete) ? text.Length - 1 : text.Length;
    }
}
