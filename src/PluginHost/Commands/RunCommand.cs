using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Artifacts.Evaluations;
using PluginHost.Artifacts.Report;
using PluginHost.Bench;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Live;
using PluginHost.Runs;
using PluginHost.Runs.Evaluation;
using PluginHost.Runs.Profiling;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using PluginHost.Terminal;
using static TorchSharp.torch;

namespace PluginHost.Commands;

/// <summary>What <c>pluginhost run</c> was asked for.</summary>
internal sealed record RunRequest(
    string Project, IReadOnlyList<string> Set, string? HostFile, string? Report, int Seeds, string? Resume, bool Watch, bool Profile, bool Json, bool Supervised = false);

/// <summary>Trains the stages of a project, evaluates the result, and writes record and report: <c>pluginhost run</c>.</summary>
internal sealed class RunCommand(RunRequest request, ILoggerFactory loggers, TextWriter output, bool terminal, CancellationToken cancellation)
{
    public int Run()
    {
        var host = HostFile.Read(request.HostFile);
        if (request.Resume is { } run) return RunResumed(host, RunFolder.Find(host.Artifacts, run));
        var project = ProjectFile.Read(request.Project, request.Set, RunFolder.Finder(host.Artifacts));
        if (project.Stages.Count == 0 && project.Data.Sources.Count == 0)
            throw new UserErrorException($"{request.Project} trains and evaluates nothing: it has no stages, no evaluations and no source of samples (data.use).");
        var outcomes = Enumerable.Range(0, request.Seeds).Select(i =>
        {
            var seed = project.Seed + i;
            var folder = RunFolder.Create(host.Artifacts, project.Name, DateTimeOffset.Now, Indented(Resolved(project, seed)));
            using var alone = folder.Lock();
            return RunOnce(project, host, folder, seed, null);
        }).ToList();
        Finish(outcomes);
        return 0;
    }

    private int RunResumed(HostConfig host, RunFolder folder)
    {
        // Whoever has started this one starts it again, when a process that is on its way out has left the run.
        using var alone = request.Supervised ? folder.TryLock() : folder.Lock();
        if (alone is null) return ExitCode.Again;
        var project = ProjectFile.Read(folder.Project, request.Set);
        Finish([RunOnce(project, host, folder, project.Seed, folder.Checkpoints.Load(output.WriteLine))]);
        return 0;
    }

    private sealed record Outcome(
        RunFolder Folder, long Seed, RunCost Cost, IReadOnlyList<StageResult> Stages, IReadOnlyList<EvaluationResult> Evaluations, IReadOnlyList<StageProfile> Profiles);

    private Outcome RunOnce(ProjectConfig project, HostConfig host, RunFolder folder, long seed, (TrainingState State, string File)? checkpoint)
    {
        var started = DateTimeOffset.Now;
        var progress = new RunProgress(output, terminal, folder.Events);
        var state = checkpoint?.State;
        var from = StageStarts.Base(project, host.Artifacts);
        var tokenizer = state is not null ? File.ReadAllText(folder.Tokenizer) : from is not null && project.Data.Tokenizer is not null ? File.ReadAllText(from.Tokenizer) : null;
        using var workspace = Workspace.Open(project, host, tokenizer, seed, loggers, cancellation);
        using var starts = new StageStarts(workspace, project, folder, host.Artifacts);
        starts.Check();
        var resolved = Resolved(project, seed);
        Announce(workspace, progress, folder, seed);
        if (state is null && workspace.Plan.Tokenizer is not null) AtomicFile.WriteText(folder.Tokenizer, workspace.Data.Tokenizer!.ToJson());
        if (state is null) workspace.LoadFrom();

        void Record(string status, IReadOnlyList<StageResult> done, IReadOnlyList<EvaluationResult> results, RunCost? cost = null) => folder.WriteRecord(RunRecord.Of(
            folder.Name, status, workspace.Plan, resolved, seed, workspace.Device.ToString(), workspace.Data.Source.Fingerprint, started, cost ?? CostOf(workspace), workspace.Data.Rejections, done, results));

        var stages = state is null ? [] : RunRecord.ReadStages(folder.Record).Take(state.Stage).ToList();
        Record("training", stages, []);
        using var live = Follow(workspace, host, folder, progress, changed => resolved = Resolved(changed, seed));
        EvaluationResult[] averaged = [];
        var profiles = new List<StageProfile>();
        for (var i = 0; i < project.Stages.Count; i++)
        {
            if (state is not null && i < state.Stage) continue; // finished before the run was stopped
            var measuring = request.Profile ? StageProfile.Begin(project.Stages[i]) : null;
            var resumed = state?.Stage == i;
            starts.Prepare(i, resumed);
            if (resumed) Resume(workspace, checkpoint!.Value.File, state!);
            using var stage = new SupervisedStage(workspace.Graph, i, workspace.Data, seed, measuring, workspace.Weightings[i], workspace.Tunings[i]);
            if (!resumed) starts.Continue(i);
            stages.Add(stage.Run(resumed ? state : null, folder.Checkpoints, progress, cancellation));
            starts.Save(i);
            if (project.Stages[i].Evaluate && i < project.Stages.Count - 1) stages[^1] = stages[^1] with { Evaluations = Rate().Results };
            if (measuring is not null) profiles.Add(Profile(workspace, project.Stages[i], measuring));
            Record("training", stages, []);
            if (i < project.Stages.Count - 1 || stage.Average is not { } average) continue;
            using var weights = average.Use();
            averaged = [.. Evaluate(folder.AverageModel).Results.Select(result => result with { Metric = $"average/{result.Metric}" })];
        }
        var evaluation = Evaluate(folder.Model);
        EvaluationResult[] results = [.. evaluation.Results, .. averaged];
        if (project.Stages is [.., { Evaluate: true }]) stages[^1] = stages[^1] with { Evaluations = results };
        var outcome = new Outcome(folder, seed, CostOf(workspace), stages, results, profiles);
        Record("finished", stages, results, outcome.Cost);
        AtomicFile.WriteText(folder.ReportJson, Indented(ReportJson(outcome, [seed], results)));
        EvaluationFile.Write(folder.Evaluation, folder.Name, evaluation);
        AtomicFile.WriteText(folder.ReportHtml, HtmlReport.Render(
            folder.Name, PlanText(workspace), stages, results, evaluation.Examples, workspace.Data.Rejections));
        foreach (var stage in stages.Where(stage => stage.Evaluations.Count > 0 && stage != stages[^1]))
        {
            progress.Say($"after {stage.Name}{(stage.Tuning is null ? "" : $" ({stage.Tuning}, {stage.TrainableParameters:#,0} of {stage.TotalParameters:#,0} parameters)")}:");
            Show(stage.Evaluations, progress);
        }
        if (stages.Any(stage => stage.Evaluations.Count > 0)) progress.Say($"after {stages[^1].Name}:");
        Show(results, progress);
        progress.Say($"run folder: {folder.Path}");
        progress.Say($"report:     {folder.ReportHtml}");
        if (MediaFiles.Write(folder.Examples, evaluation.Examples) is [var picture, ..] && evaluation.Examples[0].Answers is [var asked, ..] && workspace.Plan.DecoderNode is not null)
            progress.Say($"ask it:     pluginhost chat latest {(picture.EndsWith(".apng", StringComparison.Ordinal) ? "--video" : "--image")} {Path.GetRelativePath(".", picture)} \"{asked.Turn.Prompt}\"");
        return outcome;

        // What the graph's weights are now, saved and rated.
        EvaluationReport Evaluate(string model)
        {
            using (var use = workspace.Graph.Acquire()) ModelFile.Write(model, use.Graph);
            return Rate();
        }

        EvaluationReport Rate()
        {
            using var use = workspace.Graph.Acquire();
            return new Evaluator(use.Graph, workspace.Data, workspace.Metrics, project.Data.Languages[0]).Run(progress, cancellation);
        }
    }

    private static void Resume(Workspace workspace, string file, TrainingState state)
    {
        using var use = workspace.Graph.Acquire();
        RunFolder.CopyInto(file, state.Tensors, use.Graph.Weights);
    }

    private static JsonObject Resolved(ProjectConfig project, long seed)
    {
        var resolved = JsonNode.Parse(project.Source.ToJsonString())!.AsObject();
        resolved["seed"] = seed;
        return resolved;
    }

    private static string Indented(JsonObject json) => json.ToJsonString(new() { WriteIndented = true });

    // What another terminal or a watched file changes is kept, so that a resumed run goes on with it.
    private LiveSession Follow(Workspace workspace, HostConfig host, RunFolder folder, RunProgress progress, Action<ProjectConfig> changed) => new(
        workspace, host, folder.Path, request.Watch ? new ProjectSource(request.Project, request.Set) : null, progress.Say, project =>
        {
            changed(project);
            AtomicFile.WriteText(folder.Project, Indented(Resolved(project, project.Seed)));
        });

    private static string PlanText(Workspace workspace)
    {
        using var text = new StringWriter();
        PlanCommand.Print(workspace.Plan, text);
        return text.ToString();
    }

    private static void Announce(Workspace workspace, RunProgress progress, RunFolder folder, long seed)
    {
        using var use = workspace.Graph.Acquire();
        progress.Say($"{workspace.Catalog.Installed.All.Count} plugins found, {workspace.Plan.Nodes.Count} nodes planned, device {workspace.Device}, seed {seed}");
        progress.Say($"{use.Graph.Parameters.Sum(parameter => parameter.Value.numel()):#,0} parameters; {string.Join(", ", workspace.Data.Source.Splits.Select(split => $"{workspace.Data.Source.Count(split):#,0} {split}"))}");
        foreach (var group in workspace.Data.Rejections.GroupBy(rejection => rejection.Reason).OrderByDescending(group => group.Count()).Take(5))
            progress.Say($"left out: {group.Count()} × {group.Key}");
        progress.Say($"run {folder.Name}");
    }

    private void Finish(IReadOnlyList<Outcome> outcomes)
    {
        var results = outcomes.Count == 1 ? outcomes[0].Evaluations : Average(outcomes.SelectMany(outcome => outcome.Evaluations));
        var last = outcomes[^1];
        if (outcomes.Count > 1) last = last with { Stages = [.. last.Stages.Select((stage, i) => stage with { Evaluations = Average(outcomes.SelectMany(outcome => outcome.Stages[i].Evaluations)) })] };
        long[] seeds = [.. outcomes.Select(outcome => outcome.Seed)];
        if (request.Report is { } path) AtomicFile.WriteText(path, Indented(ReportJson(last, seeds, results)));
        if (outcomes.Count > 1)
        {
            output.WriteLine($"mean ± standard deviation over {outcomes.Count} seeds:");
            foreach (var result in results)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {result.Metric,-36} {result.Split,-14} {result.Value:0.000} ± {result.Spread:0.000}"));
        }
        if (request.Json) Console.Out.WriteLine(ReportJson(last, seeds, results).ToJsonString());
    }

    private static List<EvaluationResult> Average(IEnumerable<EvaluationResult> evaluations) =>
        [.. evaluations.GroupBy(result => (result.Metric, result.Split)).Select(group =>
        {
            var values = group.Select(result => result.Value).ToList();
            var mean = values.Average();
            var variance = values.Sum(value => (value - mean) * (value - mean)) / Math.Max(values.Count - 1, 1);
            return group.First() with { Value = mean, Blind = group.Average(result => result.Blind), Shuffled = group.Average(result => result.Shuffled), Spread = Math.Sqrt(variance) };
        })];

    private static void Show(IReadOnlyList<EvaluationResult> results, RunProgress progress)
    {
        foreach (var result in results)
            progress.Say(string.Create(CultureInfo.InvariantCulture,
                $"  {result.Metric,-36} {result.Split,-14} {result.Value:0.000}{(result.Blind is { } blind ? $"  (blind {blind:0.000})" : "")}{(result.Shuffled is { } shuffled ? $"  (shuffled {shuffled:0.000})" : "")}  n={result.Count}"));
    }

    private static JsonObject ReportJson(Outcome outcome, long[] seeds, IReadOnlyList<EvaluationResult> results)
    {
        var report = new JsonObject
        {
            ["run"] = outcome.Folder.Name,
            ["folder"] = outcome.Folder.Path,
            ["seeds"] = new JsonArray([.. seeds.Select(seed => (JsonNode)seed)]),
            ["parameters"] = outcome.Cost.Parameters,
            ["peakMb"] = outcome.Cost.PeakMegabytes,
            ["stages"] = RunRecord.Stages(outcome.Stages),
            ["evaluations"] = RunRecord.Evaluations(results),
        };
        if (outcome.Profiles.Count > 0) report["profile"] = new JsonArray([.. outcome.Profiles.Select(profile => profile.ToJson())]);
        return report;
    }

    private StageProfile Profile(Workspace workspace, StageConfig stage, TrainingProfile measured)
    {
        using var use = workspace.Graph.Acquire();
        var profile = StageProfile.Of(stage.Name, measured.Take(), use.Graph);
        profile.Write(output);
        return profile;
    }

    // The peak is the process's: compare gives each project a process of its own.
    private static RunCost CostOf(Workspace workspace)
    {
        using var use = workspace.Graph.Acquire();
        return new RunCost(use.Graph.Parameters.Sum(parameter => parameter.Value.numel()), Math.Round(ProcessMemory.HighestPeak / 1e6, 1));
    }
}
