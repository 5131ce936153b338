using System.Text;
using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Documents;

/// <summary>HTML by its headings, without what is not read: scripts, styles, navigation. Nothing is fetched, and no script is run.</summary>
internal static partial class HtmlDocument
{
    private const int MostNested = 5_000;
    private const int MostElements = 2_000_000;

    private static readonly HashSet<string> Silent = ["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "NAV", "HEAD", "SVG", "IFRAME", "OBJECT"];
    private static readonly HashSet<string> Blocks = ["P", "DIV", "LI", "UL", "OL", "TABLE", "TR", "SECTION", "ARTICLE", "BLOCKQUOTE", "PRE", "BR", "DT", "DD", "HEADER", "FOOTER", "MAIN", "FIGCAPTION"];

    public static IReadOnlyList<Passage> Read(string name, byte[] content, CancellationToken cancellation)
    {
        if (HtmlNesting.Of(content) is var nested and > MostNested) throw new UserErrorException($"{name}: its elements are nested {nested} deep, and {MostNested} are the most that is read");
        var elements = 0;
        // Formatting that is left open is repeated in each block: a small file can say a very large tree.
        void Count()
        {
            cancellation.ThrowIfCancellationRequested();
            if (++elements > MostElements) throw new UserErrorException($"{name}: has more than {MostElements} elements; it is no document to be read");
        }
        using var stream = new MemoryStream(content);
        using var document = new HtmlParser(new HtmlParserOptions { OnCreated = (_, _) => Count() }).ParseDocument(stream);
        var passages = new List<Passage>();
        var (text, path) = (new StringBuilder(), new string?[6]);
        // A stack of our own: pages may be nested deeper than a thread's.
        var waiting = new Stack<(INode? Node, string? After)>();
        if (document.Body is { } body) waiting.Push((body, null));
        while (waiting.TryPop(out var next))
        {
            cancellation.ThrowIfCancellationRequested();
            if (next.After is not null) text.Append(next.After);
            if (next.Node is IText words) text.Append(Spaces(words.Data, words.ParentElement?.TagName == "PRE"));
            if (next.Node is not IElement element || Silent.Contains(element.TagName)) continue;
            if (element.TagName is ['H', >= '1' and <= '6'])
            {
                End();
                var level = element.TagName[1] - '0';
                var heading = Spaces(element.TextContent, false).Trim();
                path[level - 1] = heading;
                Array.Clear(path, level, path.Length - level);
                text.Append(heading).Append('\n');
                continue;
            }
            var block = Blocks.Contains(element.TagName);
            if (block) text.Append('\n');
            if (block) waiting.Push((null, "\n"));
            foreach (var child in element.ChildNodes.Reverse()) waiting.Push((child, null));
        }
        End();
        return passages;

        void End()
        {
            var lines = text.ToString().Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).ToArray();
            if (lines.Length > 0) passages.Add(new Passage(string.Join(" > ", path.Where(heading => !string.IsNullOrEmpty(heading))), string.Join('\n', lines)));
            text.Clear();
        }
    }

    private static string Spaces(string text, bool kept) => kept ? text : Blanks().Replace(text, " ");

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
