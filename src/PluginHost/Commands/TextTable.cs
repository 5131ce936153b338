using Spectre.Console;

namespace PluginHost.Commands;

/// <summary>Rows of text: a drawn table on a terminal, plain aligned columns anywhere else.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> rows = [];

    public void Add(params string[] cells) => rows.Add(cells);

    public void Write(TextWriter output)
    {
        if (ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected) Draw();
        else Align(output);
    }

    private void Draw()
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var name in header) table.AddColumn(Markup.Escape(name));
        foreach (var row in rows) table.AddRow([.. row.Select(Markup.Escape)]);
        AnsiConsole.Write(table);
    }

    private void Align(TextWriter output)
    {
        var widths = header.Select((name, i) => rows.Select(row => row[i].Length).Append(name.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(header))
            output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }
}
