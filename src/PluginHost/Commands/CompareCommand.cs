using System.Globalization;
using System.Text.Json.Nodes;
using PluginHost.Artifacts;
using PluginHost.Artifacts.Comparison;
using PluginHost.Artifacts.Evaluations;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>What <c>pluginhost compare</c> was asked for.</summary>
internal sealed record CompareRequest(IReadOnlyList<string> Items, IReadOnlyList<string> Set, string? HostFile, string? Report, int Seeds, string? Metric, bool Json);

/// <summary>
/// Compares runs, and trains the project files among them first: <c>pluginhost compare</c>. Each training is a process of its own: its peak of
/// memory is its own, and one that fails, or ends in native code, costs its row alone.
/// </summary>
internal sealed class CompareCommand(CompareRequest request, TextWriter output, CancellationToken cancellation)
{
    private const string ProjectExtension = ".json";

    public int Run()
    {
        var host = HostFile.Read(request.HostFile);
        // What is named wrongly is said before anything is trained.
        var items = request.Items.Select(item => IsProject(item) ? (Project: Existing(item), Run: null) : (Project: (string?)null, Run: (RunFolder?)RunFolder.Find(host.Artifacts, item))).ToList();
        if (request.Set.Count > 0 && items.All(item => item.Project is null))
            throw new UserErrorException("--set changes project files that are to be trained, but only runs are compared; leave it out or name a project file.");
        var rows = new List<ComparisonRow>();
        foreach (var ((project, run), number) in items.Select((item, i) => (item, i + 1)))
        {
            cancellation.ThrowIfCancellationRequested();
            if (project is not null) output.WriteLine($"{number} of {items.Count}: {project}");
            var added = project is null ? StageRows.Of(run!, request.Metric) : Train(project);
            rows.AddRange(added);
            foreach (var row in added)
                if (row.Error is { } error) output.WriteLine($"failed: {error}");
            // After each row: a comparison that is stopped keeps what is done.
            if (request.Report is { } report) Write(report, rows);
        }
        Show(rows);
        // The stages of a run are rows of their own, and one run.
        var pairs = Pairs([.. rows.Where(row => row.Error is null && row.Run is not null).Select(row => row.Run!).Distinct().Select(run => RunFolder.Find(host.Artifacts, run))]);
        if (request.Report is { } paired) Write(paired, rows, pairs);
        if (request.Report is { } path) output.WriteLine($"report: {Path.GetFullPath(path)}, {Path.GetFullPath(Page(path))}");
        if (request.Json) Console.Out.WriteLine(ToJson(rows, pairs).ToJsonString(PlainJson.Options));
        return rows.Any(row => row.Error is not null) ? ExitCode.Failed : ExitCode.Success;
    }

    private static bool IsProject(string item) => item.EndsWith(ProjectExtension, StringComparison.OrdinalIgnoreCase);

    private static string Existing(string path)
    {
        if (!File.Exists(path)) _ = ProjectFile.Read(path, []); // says what is wrong, and what may have been meant
        return path;
    }

    private IReadOnlyList<ComparisonRow> Train(string path)
    {
        var name = NameOf(path);
        var report = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():N}.json");
        try
        {
            string[] arguments =
            [
                "run", path, "--report", report, "--seeds", request.Seeds.ToString(CultureInfo.InvariantCulture),
                .. request.Set.SelectMany(set => (string[])["--set", set]), .. request.HostFile is { } file ? (string[])["--host", file] : [],
            ];
            var (exitCode, error) = OwnProcess.Run(arguments, request.Json ? output : null, cancellation);
            if (exitCode == ExitCode.Success) return StageRows.Of(name, JsonNode.Parse(File.ReadAllText(report))!.AsObject(), request.Metric);
            return [new ComparisonRow(name) { Error = error.Length > 0 ? error : $"the process of the run ended with {exitCode}" }];
        }
        finally
        {
            File.Delete(report);
        }
    }

    // A project that cannot be read is a row too; its training will say why.
    private string NameOf(string path)
    {
        try
        {
            return ProjectFile.Read(path, request.Set).Name;
        }
        catch (ConfigException)
        {
            return Path.GetFileNameWithoutExtension(path);
        }
    }

    private static void Write(string path, IReadOnlyList<ComparisonRow> rows, IReadOnlyList<RunPair>? pairs = null)
    {
        AtomicFile.WriteText(path, ToJson(rows, pairs ?? []).ToJsonString(PlainJson.Options));
        AtomicFile.WriteText(Page(path), ComparisonPage.Render(rows, pairs ?? []));
    }

    private static JsonObject ToJson(IReadOnlyList<ComparisonRow> rows, IReadOnlyList<RunPair> pairs)
    {
        var json = ComparisonRow.ToJson(rows);
        json["paired"] = new JsonArray([.. pairs.Select(pair => new JsonObject { ["first"] = pair.First, ["second"] = pair.Second, ["differences"] = PairedDifference.ToJson(pair.Differences) })]);
        return json;
    }

    /// <summary>Each further run against the first: how they differ on the questions that both were asked.</summary>
    private List<RunPair> Pairs(IReadOnlyList<RunFolder> runs)
    {
        var pairs = new List<RunPair>();
        if (runs.Count < 2) return pairs;
        foreach (var other in runs.Skip(1))
        {
            if (Array.Find([runs[0], other], run => !File.Exists(run.Evaluation)) is { } missing)
            {
                output.WriteLine($"no paired comparison of {runs[0].Name} and {other.Name}: {missing.Name} has no evaluation.json, which 'pluginhost evaluate {missing.Name}' makes");
                continue;
            }
            var pair = new RunPair(runs[0].Name, other.Name, PairedDifference.Of(EvaluationFile.Read(runs[0]), EvaluationFile.Read(other)));
            pairs.Add(pair);
            output.WriteLine($"{pair.Second} - {pair.First}, by a paired bootstrap{(pair.Differences.Count == 0 ? ": they were not asked the same; evaluate both with the same metrics, splits and limit" : "")}");
            if (pair.Differences.Count == 0) continue;
            var table = new TextTable("metric", "split", "first", "second", "difference", "95 % interval", "p");
            foreach (var item in pair.Differences.Where(item => request.Metric is null || item.Metric == request.Metric || item.Metric.StartsWith(request.Metric + ":", StringComparison.Ordinal)))
                table.Add(item.Metric, item.Split, FigureText.Precise(item.First), FigureText.Precise(item.Second), FigureText.Precise(item.Difference), $"{FigureText.Precise(item.Low)} to {FigureText.Precise(item.High)}", FigureText.Precise(item.P));
            table.Write(output);
        }
        return pairs;
    }

    private static string Page(string report) => Path.ChangeExtension(report, ".html");

    private void Show(IEnumerable<ComparisonRow> rows)
    {
        var table = new TextTable("project", "accuracy", "blind", "tokens/s", "peak MB", "parameters", "trained", "seconds");
        foreach (var row in rows)
            table.Add(
                row.Project, row.Error is null ? Number(row.Accuracy, "0.000") + (row.Spread is { } spread ? $" ± {Number(spread, "0.000")}" : "") : "failed", Number(row.Blind, "0.000"),
                Number(row.TokensPerSecond, "#,0"), Number(row.PeakMb, "#,0"), Number(row.Parameters, "#,0"), Number(row.Trained, "#,0"), Number(row.Seconds, "0"));
        table.Write(output);
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
