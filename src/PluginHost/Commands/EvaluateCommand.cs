using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Artifacts.Evaluations;
using PluginHost.Artifacts.Models;
using PluginHost.Artifacts.Report;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Evaluation;
using PluginHost.Sdk;
using PluginHost.Terminal;

namespace PluginHost.Commands;

/// <summary>What <c>pluginhost evaluate</c> was asked for.</summary>
/// <param name="Metrics">Ids of metrics, with or without <c>metric.</c>; <c>all</c>: every installed one that the run can be rated by.</param>
/// <param name="Encoder">The run whose features metrics take that name none; null: the evaluated run.</param>
internal sealed record EvaluateRequest(string Run, IReadOnlyList<string> Metrics, string? Encoder, int? Limit, IReadOnlyList<string> Splits, IReadOnlyList<string> Tasks, string? HostFile, string? Report, bool Json);

/// <summary>
/// Rates a trained run: <c>pluginhost evaluate</c>. Writes <c>evaluation.json</c> into the run's folder, and the report as JSON with a Markdown file and a
/// page beside it.
/// </summary>
internal sealed class EvaluateCommand(EvaluateRequest request, ILoggerFactory loggers, TextWriter output, bool terminal, CancellationToken cancellation)
{
    public int Run()
    {
        var host = HostFile.Read(request.HostFile);
        var run = RunFolder.Find(host.Artifacts, request.Run);
        foreach (var file in (string[])[run.Project, run.Model])
            if (!File.Exists(file)) throw new UserErrorException($"The run '{run.Name}' is not finished: {file} is missing; 'pluginhost run --resume {run.Name}' goes on with it.");
        var (project, problems) = Chosen(host, run);
        using var workspace = Workspace.Open(project, host, File.Exists(run.Tokenizer) ? File.ReadAllText(run.Tokenizer) : null, project.Seed, loggers, cancellation);
        workspace.LoadWeights(run);
        var events = Directory.CreateTempSubdirectory("pluginhost-").FullName;
        try
        {
            var progress = new RunProgress(output, terminal, events);
            using var use = workspace.Graph.Acquire();
            var evaluator = new Evaluator(use.Graph, workspace.Data, workspace.Metrics, project.Data.Languages[0]) { Lenient = true };
            var report = evaluator.Run(progress, cancellation);
            report = report with { Problems = [.. problems, .. report.Problems] };
            if (report.Problems.Count > 0 && !All) throw new UserErrorException(string.Join('\n', report.Problems));
            Write(run, report, workspace);
            return ExitCode.Success;
        }
        finally
        {
            Directory.Delete(events, recursive: true);
        }
    }

    private bool All => request.Metrics is ["all"];

    private void Write(RunFolder run, EvaluationReport report, Workspace workspace)
    {
        EvaluationFile.Write(run.Evaluation, run.Name, report);
        if (request.Report is { } path)
        {
            EvaluationFile.Write(path, run.Name, report);
            AtomicFile.WriteText(Path.ChangeExtension(path, ".md"), EvaluationText.Markdown(run.Name, report));
            using var plan = new StringWriter();
            PlanCommand.Print(workspace.Plan, plan);
            AtomicFile.WriteText(Path.ChangeExtension(path, ".html"), HtmlReport.Render($"Evaluation of {run.Name}", plan.ToString(), [], report.Results, report.Examples, workspace.Data.Rejections));
        }
        if (request.Json)
        {
            Console.Out.WriteLine(EvaluationFile.Of(run.Name, report).ToJsonString(PlainJson.Options));
            return;
        }
        var table = new TextTable("metric", "split", "value", "95 % interval", "blind", "n", "signature");
        foreach (var result in report.Results)
            table.Add(result.Metric, result.Split, FigureText.Precise(result.Value), EvaluationText.Interval(result), result.Blind is { } blind ? FigureText.Precise(blind) : "", $"{result.Count}", result.Note ?? "");
        table.Write(output);
        foreach (var problem in report.Problems) output.WriteLine($"left out: {problem}");
        if (request.Report is { } file) output.WriteLine($"report: {Path.GetFullPath(file)}, {Path.ChangeExtension(file, ".md")}, {Path.ChangeExtension(file, ".html")}");
    }

    /// <summary>The run's project with the evaluations that were asked for, and what cannot be.</summary>
    private (ProjectConfig Project, IReadOnlyList<string> Problems) Chosen(HostConfig host, RunFolder run)
    {
        var project = ProjectFile.Read(run.Project, []);
        project = project with { Data = project.Data with { Filters = [], Transforms = [] } };
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var models = new TrainedModels(catalog, host.Artifacts, loggers, cancellation);
        var bare = GraphPlanner.Plan(project with { Evaluate = [] }, catalog.Installed);
        var choice = new EvaluationChoice(project, bare, request.Encoder ?? run.Name);
        var (chosen, problems) = (new List<EvaluationConfig>(), new List<string>());
        foreach (var metric in Wanted(catalog.Installed))
        {
            var candidates = choice.Of(metric);
            if (candidates.Count == 0) problems.Add($"{metric.Id}: the run has no contrastive objective between texts and a medium, so it has no pairs of embeddings to be rated");
            foreach (var candidate in candidates)
            {
                var evaluation = candidate with
                {
                    Limit = request.Limit ?? candidate.Limit,
                    Splits = request.Splits.Count > 0 ? request.Splits : candidate.Splits,
                    Tasks = request.Tasks.Count > 0 ? request.Tasks : candidate.Tasks,
                };
                try
                {
                    GraphPlanner.Plan(project with { Evaluate = [evaluation] }, catalog.Installed, models);
                    chosen.Add(evaluation);
                }
                catch (ConfigException error)
                {
                    problems.Add($"{metric.Id}: {string.Join("; ", error.Errors.Select(item => item.Message))}");
                }
            }
        }
        if (problems.Count > 0 && (!All || chosen.Count == 0)) throw new UserErrorException(string.Join('\n', problems.Distinct()));
        return (project with { Evaluate = chosen }, [.. problems.Distinct()]);
    }

    private IEnumerable<PluginDescription> Wanted(PluginSet plugins)
    {
        var installed = plugins.All.Where(plugin => plugin.Kind == "metric").OrderBy(plugin => plugin.Id, StringComparer.Ordinal).ToList();
        if (All) return installed;
        return [.. request.Metrics.Select(name => installed.Find(plugin => plugin.Id == name || plugin.Id == "metric." + name)
            ?? throw new UserErrorException($"--metrics {name}: there is no such metric{NearestName.Suggestion(name.StartsWith("metric.", StringComparison.Ordinal) ? name : "metric." + name, installed.Select(plugin => plugin.Id))}"))];
    }
}
