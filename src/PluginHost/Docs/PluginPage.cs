using System.Text;
using PluginHost.Catalog;
using PluginHost.Commands;
using PluginHost.Live;

namespace PluginHost.Docs;

/// <summary>The documentation of plugins as Markdown, from their metadata and sample files alone.</summary>
internal static class PluginPage
{
    private const int LongestSample = 64 << 10; // bytes

    /// <summary>The page of a plugin.</summary>
    /// <param name="plugin">The plugin.</param>
    /// <param name="extension">Of the pages that it links to: <c>md</c> or <c>html</c>.</param>
    public static string Of(PluginDescription plugin, string extension)
    {
        var page = new StringBuilder();
        Line($"[All plugins](index.{extension})");
        Line($"# {Text(plugin.Id)}");
        Line(Text(plugin.Summary));
        Line($"*{Text($"Version {plugin.Version}, works with PluginHost.Sdk {plugin.SdkRange}, {(plugin.Package is { } package ? $"from the package {package} of {package.Source}" : "from a plugin folder")}.")}*");
        if (plugin.Requires.Count > 0) Line($"Requires {string.Join(", ", plugin.Requires.Select(item => $"{Code(item.Capability)}{(item.Option is null ? "" : $" of the run in {Code(item.Option)}")}{(item.Optional ? " (if given)" : "")}"))} of the host.");
        if (plugin.Accepts.Count > 0) Line($"Accepts {string.Join(' ', plugin.Accepts.Select(Code))}.");
        Line("## Use");
        Fence($"{{ \"use\": \"{plugin.Id}\" }}");
        Ports();
        Settings();
        Sample();
        return page.ToString();

        void Line(string text) => page.Append(text).Append("\n\n");

        void Fence(string text) => Line($"````json\n{text.TrimEnd()}\n````");

        void Table(string[] header, IEnumerable<string[]> rows)
        {
            page.Append($"| {string.Join(" | ", header)} |\n|{string.Concat(header.Select(_ => " --- |"))}\n");
            foreach (var row in rows) page.Append($"| {string.Join(" | ", row)} |\n");
            page.Append('\n');
        }

        void Ports()
        {
            string[][] rows =
            [
                .. plugin.Inputs.Select(port => new[] { Code(port.Name), port.Optional ? "in, optional" : "in", Code(port.Type.Text) }),
                .. plugin.Variadic is { } any ? [["any name", "in, any number", Code(any.Type.Text)]] : Array.Empty<string[]>(),
                .. plugin.Outputs.Select(port => new[] { Code(port.Name), "out", Code(port.Type.Text) }),
            ];
            if (rows.Length == 0) return;
            Line("## Ports");
            Table(["port", "direction", "type"], rows);
        }

        void Settings()
        {
            Line("## Settings");
            if (plugin.Options.Count == 0) Line("It has none.");
            else Table(["setting", "type", "default", "range", "meaning"], plugin.Options.Select(option => new[]
            {
                Code(option.Name), Code(OptionText.Type(option)), Code(OptionText.Default(option)), OptionText.Range(option), Text(OptionText.Description(option)),
            }));
            if (plugin.Options.Count > 0) Line($"Changed while a run goes on, a setting applies {LiveChange.OfSetting(plugin.Kind)}.");
            foreach (var rule in plugin.Rules) Line($"Rule: {Text(rule.ToString())}.");
        }

        void Sample()
        {
            var path = Path.Combine(plugin.Folder, "sample.json");
            if (!File.Exists(path) || new FileInfo(path).Length > LongestSample) return;
            Line("## Sample");
            Fence(File.ReadAllText(path).Replace("````", "", StringComparison.Ordinal));
        }
    }

    /// <summary>The page that links to all others, by kind.</summary>
    public static string Index(IReadOnlyList<PluginDescription> plugins, string extension)
    {
        var page = new StringBuilder($"# Plugins\n\n{plugins.Count} plugins are installed.\n\n");
        foreach (var kind in plugins.GroupBy(plugin => plugin.Kind).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            page.Append($"## {Text(kind.Key)}\n\n| plugin | version | what it does |\n| --- | --- | --- |\n");
            foreach (var plugin in kind) page.Append($"| [{Text(plugin.Id)}]({plugin.Id}.{extension}) | {Text(plugin.Version)} | {Text(plugin.Summary)} |\n");
            page.Append('\n');
        }
        return page.ToString();
    }

    // What a stranger wrote into metadata is text: it makes no links, no markup and no table cells.
    private static string Text(string text)
    {
        var flat = string.Concat(Flat(text).Trim().Select(c => "\\`*_[]<>|~&".Contains(c, StringComparison.Ordinal) ? $"\\{c}" : c.ToString()));
        return flat.Length > 0 && "#+-=".Contains(flat[0], StringComparison.Ordinal) ? "\\" + flat : flat;
    }

    private static string Code(string text)
    {
        var flat = Flat(text).Replace('`', '\'').Replace("|", "\\|", StringComparison.Ordinal);
        return flat.Trim().Length == 0 ? "" : $"`{flat}`";
    }

    private static string Flat(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
}
