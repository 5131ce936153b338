namespace PluginHost.Runs.Decoding;

/// <summary>Lets a growing text through up to the first stop text. What may be the beginning of one is held back.</summary>
internal sealed class StopTexts(IReadOnlyList<string> stops)
{
    private string held = "";

    /// <summary>Whether a stop text has come; nothing passes any more.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Adds text; returns what may be handed out.</summary>
    public string Add(string text)
    {
        if (Stopped) return "";
        if (stops.Count == 0 || text.Length == 0) return text;
        held += text;
        var first = stops.Select(stop => held.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        Stopped = first >= 0;
        return Release(Stopped ? first : held.Length - Beginning());
    }

    /// <summary>What was held back: no more text comes.</summary>
    public string Flush() => Stopped ? "" : Release(held.Length);

    private string Release(int length)
    {
        var text = held[..length];
        held = held[length..];
        return text;
    }

    // Length of the longest end of the text with which a stop text begins.
    private int Beginning()
    {
        for (var length = Math.Min(held.Length, stops.Max(stop => stop.Length) - 1); length > 0; length--)
        {
            var end = held.AsSpan(held.Length - length);
            foreach (var stop in stops)
                if (stop.AsSpan().StartsWith(end, StringComparison.Ordinal)) return length;
        }
        return 0;
    }
}
