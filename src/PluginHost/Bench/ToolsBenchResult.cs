using System.Text.Json.Nodes;
using PluginHost.Commands;

namespace PluginHost.Bench;

/// <summary>What <c>pluginhost bench tools</c> found.</summary>
/// <param name="Project">The project.</param>
/// <param name="Seen">Requests for functions of which training has others by the same and other names.</param>
/// <param name="Unseen">Requests for functions that training never has; none where the source has no such split.</param>
internal sealed record ToolsBenchResult(string Project, IReadOnlyList<ToolRequestFigures> Seen, IReadOnlyList<ToolRequestFigures> Unseen)
{
    private IReadOnlyList<ToolRequestFigures> Called => [.. Seen.Concat(Unseen).Where(request => request.Called is not null)];

    /// <summary>The report.</summary>
    public JsonObject ToJson() => new()
    {
        ["project"] = Project,
        ["requests"] = Seen.Count,
        ["unseenRequests"] = Unseen.Count,
        ["toolAccuracy"] = Share(Seen, request => request.Called == request.Right),
        ["unseenToolAccuracy"] = Share(Unseen, request => request.Called == request.Right),
        ["validArguments"] = Share(Called, request => request.Valid),
        ["rightArguments"] = Share(Seen, request => request.Copied),
        ["unseenRightArguments"] = Share(Unseen, request => request.Copied),
        ["calls"] = Called.Count,
        ["dispatchOverheadMs"] = Overhead() is { } median ? Math.Round(median, 3) : null,
    };

    public void Write(TextWriter output)
    {
        output.WriteLine();
        var table = new TextTable(["", "seen", "unseen"]);
        void Row(string name, Func<ToolRequestFigures, bool> of) => table.Add([name, Cell(Seen, of), Cell(Unseen, of)]);
        Row("right function", request => request.Called == request.Right);
        Row("right function and arguments", request => request.Copied);
        Row("called something", request => request.Called is not null);
        table.Write(output);
        output.WriteLine($"valid arguments: {Cell(Called, request => request.Valid)} of calls");
        if (Overhead() is { } median) output.WriteLine($"from a call's last token to its result: {FigureText.Number(median)} ms (median)");
    }

    private double? Overhead() => Seen.Concat(Unseen).Select(request => request.OverheadMs).OfType<double>().Order().ToArray() is { Length: > 0 } all ? all[all.Length / 2] : null;

    private static double? Share(IReadOnlyList<ToolRequestFigures> requests, Func<ToolRequestFigures, bool> of) => requests.Count == 0 ? null : Math.Round(requests.Count(of) / (double)requests.Count, 4);

    private static string Cell(IReadOnlyList<ToolRequestFigures> requests, Func<ToolRequestFigures, bool> of) =>
        requests.Count == 0 ? "-" : $"{FigureText.Share(requests.Count(of) / (double)requests.Count)} of {requests.Count}";
}

/// <summary>One request.</summary>
/// <param name="Right">The function that answers it.</param>
/// <param name="Called">The one that was called first; null: none.</param>
/// <param name="Valid">Whether the arguments fulfil the called function's schema.</param>
/// <param name="Copied">Whether function and arguments are those of the request.</param>
/// <param name="OverheadMs">Milliseconds from the call's last token to the function's result; null: there was none.</param>
internal sealed record ToolRequestFigures(string Right, string? Called, bool Valid, bool Copied, double? OverheadMs);
