using System.Net;
using Markdig;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Docs;

namespace PluginHost.Commands;

/// <summary><c>pluginhost plugins docs</c>: a page for each plugin as Markdown and HTML, without running any plugin code.</summary>
internal static class DocsCommand
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().DisableHtml().Build();

    /// <summary>Writes the pages; files of other names in the folder are left alone.</summary>
    /// <returns>The exit code: 0.</returns>
    public static int Run(string folder, string? hostFile, TextWriter output)
    {
        using var catalog = PluginCatalog.Discover(HostFile.Read(hostFile));
        var target = Path.GetFullPath(folder);
        Write("index", "Plugins", extension => PluginPage.Index(catalog.Installed.All, extension));
        foreach (var plugin in catalog.Installed.All) Write(plugin.Id, plugin.Id, extension => PluginPage.Of(plugin, extension));
        AtomicFile.WriteText(Path.Combine(target, "style.css"), Resource("style.css"));
        output.WriteLine($"{catalog.Installed.All.Count} plugins documented in {Path.Combine(target, "index.html")}");
        foreach (var fault in catalog.Installed.Faults) output.WriteLine($"left out: {fault.Folder}: {fault.Message}");
        return ExitCode.Success;

        void Write(string name, string title, Func<string, string> page)
        {
            AtomicFile.WriteText(Path.Combine(target, name + ".md"), page("md"));
            var html = Resource("page.html").Replace("{title}", WebUtility.HtmlEncode(title), StringComparison.Ordinal)
                .Replace("{body}", Markdown.ToHtml(page("html"), Pipeline), StringComparison.Ordinal);
            AtomicFile.WriteText(Path.Combine(target, name + ".html"), html);
        }
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(DocsCommand).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
