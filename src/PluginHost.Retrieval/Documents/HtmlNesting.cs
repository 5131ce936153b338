namespace PluginHost.Retrieval.Documents;

/// <summary>
/// How deeply elements of an HTML file are nested, by one look at its tags. A parser looks through all that is open at each tag, so that its time grows with the square of the nesting:
/// what is nested too deeply is refused before a tree is built. Elements that need no end tag do not count.
/// </summary>
internal static class HtmlNesting
{
    private static readonly HashSet<string> Uncounted = new(
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
         "html", "head", "body", "p", "li", "dt", "dd", "option", "optgroup", "colgroup", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "rb", "rt", "rtc", "rp"], StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Raw = new(["script", "style", "textarea", "title", "noscript", "iframe", "xmp"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Elements that are open at a time, at most.</summary>
    public static int Of(ReadOnlySpan<byte> html)
    {
        var (open, deepest) = (0, 0);
        for (var at = 0; html[at..].IndexOf((byte)'<') is var next and >= 0;)
        {
            at += next + 1;
            if (html[at..].StartsWith("!--"u8))
            {
                at += Behind(html[at..], "-->"u8);
                continue;
            }
            var end = at < html.Length && html[at] == '/';
            var name = Name(html[(end ? at + 1 : at)..]);
            if (name.Length == 0 || Uncounted.Contains(name)) continue;
            if (end) open = Math.Max(0, open - 1);
            else if (Raw.Contains(name)) at += EndOfRaw(html[at..], name);
            else deepest = Math.Max(deepest, ++open);
        }
        return deepest;
    }

    private static string Name(ReadOnlySpan<byte> tag)
    {
        const int longest = 32; // of a name that the lists have, and more
        var length = 0;
        while (length < tag.Length && length < longest && (char.IsAsciiLetterOrDigit((char)tag[length]) || (tag[length] == '-' && length > 0))) length++;
        return length > 0 && char.IsAsciiLetter((char)tag[0]) ? System.Text.Encoding.ASCII.GetString(tag[..length]) : "";
    }

    // What is in a script is no tag.
    private static int EndOfRaw(ReadOnlySpan<byte> html, string name)
    {
        for (var at = 0; html[at..].IndexOf("</"u8) is var next and >= 0;)
        {
            at += next + 2;
            if (Name(html[at..]).Equals(name, StringComparison.OrdinalIgnoreCase)) return at;
        }
        return html.Length;
    }

    private static int Behind(ReadOnlySpan<byte> html, ReadOnlySpan<byte> mark) => html.IndexOf(mark) is var at and >= 0 ? at + mark.Length : html.Length;
}
