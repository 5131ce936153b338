using Spectre.Console;

namespace PluginHost.Terminal;

/// <summary>Shows work that is done in steps: a bar on a terminal, a plain line for each step elsewhere. Thread-safe.</summary>
internal sealed class WorkProgress(TextWriter output, bool terminal)
{
    private const int Width = 28;
    private readonly Lock gate = new();
    private string? doing;
    private int shown = -1;

    /// <param name="step">What is being done.</param>
    /// <param name="part">Which part of it is done, from 0 to 1; null when nobody knows.</param>
    public void Show(string step, double? part)
    {
        lock (gate)
        {
            var filled = (int)((part ?? 0) * Width);
            if (step == doing && (!terminal || filled == shown)) return;
            (doing, shown) = (step, filled);
            if (!terminal)
            {
                output.WriteLine(step);
                return;
            }
            var bar = part is null ? "" : $"[steelblue]{new string('━', filled)}[/][grey]{new string('─', Width - filled)}[/] ";
            AnsiConsole.Markup($"\r{bar}{Markup.Escape(step)}\u001b[K");
        }
    }

    /// <summary>Clears the bar.</summary>
    public void End()
    {
        if (terminal && doing is not null) AnsiConsole.Markup("\r\u001b[K");
    }
}
