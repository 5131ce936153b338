using System.Text;

namespace PluginHost.Retrieval.Documents;

/// <summary>Markdown by its headings: the place of a passage is the path of headings above it.</summary>
internal static class MarkdownDocument
{
    private const int Levels = 6;

    public static IReadOnlyList<Passage> Read(string text)
    {
        var passages = new List<Passage>();
        var path = new string?[Levels];
        var body = new StringBuilder();
        string? fence = null;
        foreach (var line in text.Split('\n'))
        {
            if (Fence(line) is { } mark && (fence is null || mark == fence)) fence = fence is null ? mark : null;
            if (fence is null && Level(line) is var level and > 0)
            {
                End();
                path[level - 1] = line.TrimStart()[level..].Trim().TrimEnd('#').TrimEnd();
                Array.Clear(path, level, Levels - level);
            }
            body.Append(line).Append('\n');
        }
        End();
        return passages;

        void End()
        {
            if (body.ToString().Trim() is { Length: > 0 } content) passages.Add(new Passage(string.Join(" > ", path.Where(heading => !string.IsNullOrEmpty(heading))), content));
            body.Clear();
        }
    }

    private static string? Fence(string line) => line.TrimStart() is var start && start.StartsWith("```", StringComparison.Ordinal) ? "`" : start.StartsWith("~~~", StringComparison.Ordinal) ? "~" : null;

    // One to six number signs and a blank; 0: no heading.
    private static int Level(string line)
    {
        var start = line.TrimStart(' ');
        var signs = start.TakeWhile(letter => letter == '#').Count();
        return line.Length - start.Length < 4 && signs is >= 1 and <= Levels && (start.Length == signs || start[signs] == ' ') ? signs : 0;
    }
}
