using PluginHost.Catalog.Install;
using Spectre.Console;

namespace PluginHost.Terminal;

/// <summary>Shows an install: a bar on a terminal, a plain line for each step elsewhere.</summary>
internal sealed class InstallProgress(TextWriter output, bool terminal)
{
    private const int Width = 28;
    private string? doing;
    private int shown = -1;

    public void Show(InstallStep step)
    {
        var filled = (int)((step.Part ?? 0) * Width);
        if (step.Doing == doing && (!terminal || filled == shown)) return;
        (doing, shown) = (step.Doing, filled);
        if (!terminal)
        {
            output.WriteLine(step.Doing);
            return;
        }
        var bar = step.Part is null ? "" : $"[steelblue]{new string('━', filled)}[/][grey]{new string('─', Width - filled)}[/] ";
        AnsiConsole.Markup($"\r{bar}{Markup.Escape(step.Doing)}\u001b[K");
    }

    /// <summary>Clears the bar.</summary>
    public void End()
    {
        if (terminal && doing is not null) AnsiConsole.Markup("\r\u001b[K");
    }
}
