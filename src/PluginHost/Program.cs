using System.CommandLine;
using System.CommandLine.Invocation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost;
using PluginHost.Bench;
using PluginHost.Catalog;
using PluginHost.Catalog.Install;
using PluginHost.Commands;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Retrieve;
using PluginHost.Runs;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;
using PluginHost.Serve;
using PluginHost.Terminal;

NativeTorch.Prepare(); // before anything loads libtorch
FaultContainment.Install();

var set = new Option<string[]>("--set") { Description = "Overrides a value of the project: graph.fusion.use=fusion.late, stages.0.steps=30", AllowMultipleArgumentsPerToken = false, Arity = ArgumentArity.ZeroOrMore };
var hostFile = new Option<string?>("--host") { Description = "The host file; default: host-config/host.json, found from the current folder upwards", Recursive = true };
var json = new Option<bool>("--json") { Description = "Output for machines" };

var root = new RootCommand("PluginHost: multimodal language models from plugins and a config file.") { hostFile };
root.Subcommands.Add(Run());
root.Subcommands.Add(Plan());
root.Subcommands.Add(Chat());
root.Subcommands.Add(Evaluate());
root.Subcommands.Add(Compare());
root.Subcommands.Add(ModelsCommandLine.Import(hostFile, json, Logs()));
root.Subcommands.Add(ModelsCommandLine.Export(hostFile, json, Logs()));
root.Subcommands.Add(DataCommandLine.Build(hostFile, set, json, Logs()));
root.Subcommands.Add(BenchCommandLine.Build(hostFile, set, json));
root.Subcommands.Add(PluginsCommandLine.Build(hostFile, json));
root.Subcommands.Add(RetrieveCommandLine.Build(hostFile, json, Logs()));
root.Subcommands.Add(ServeCommandLine.Serve(hostFile));
root.Subcommands.Add(ServeCommandLine.Keys(hostFile));

try
{
    var parsed = root.Parse(args);
    if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
    {
        foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
        return ExitCode.UserError;
    }
    // A command that listens to no token ends at the first signal, as any program does.
    using var signals = parsed.Action is AsynchronousCommandLineAction ? new StopSignals() : null;
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, signals?.Token ?? CancellationToken.None);
}
catch (Exception e) when (e is ConfigException or UserErrorException)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.UserError;
}
catch (Exception e) when (e is RunFailedException or GraphExecutionException or PluginFailedException or PluginQuarantinedException or InstallFailedException)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Failed;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    // A disk that is full or gone: no mistake of the user's, and no trace helps.
    Console.Error.WriteLine($"{e.Message}{(args is ["run", ..] ? "; 'pluginhost run --resume latest' goes on from the last checkpoint" : "")}");
    return ExitCode.Failed;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine(args.FirstOrDefault() switch
    {
        "run" => "stopped; 'pluginhost run --resume latest' goes on from the last checkpoint",
        "data" => "stopped; the same command goes on after the last whole shard",
        "compare" => "stopped; the report holds what was done, and 'compare' takes finished runs by name",
        "import" or "export" => "stopped; nothing was made",
        "retrieve" => "stopped; the same command goes on with what is missing",
        "plugins" => "stopped; nothing has changed",
        _ => "stopped",
    });
    return ExitCode.Failed;
}

Command Run()
{
    var project = new Argument<string?>("project") { Description = "A project file", Arity = ArgumentArity.ZeroOrOne };
    var report = new Option<string?>("--report") { Description = "Also writes the report's JSON here" };
    var seeds = new Option<int>("--seeds") { Description = "Runs with this many seeds and reports mean and spread", DefaultValueFactory = _ => 1 };
    var resume = new Option<string?>("--resume") { Description = "Goes on with a stopped run (folder, name or 'latest')" };
    var watch = new Option<bool>("--watch") { Description = "Takes in changed plugins, a changed project file and a changed host file while it runs" };
    var profile = new Option<bool>("--profile") { Description = "Shows where a step's time and memory go, node by node" };
    var input = new Option<bool>("--stop-with-input") { Description = "Stops when its standard input ends: for a process that starts this one, and may be killed", Hidden = true };
    var command = new Command("run", "Trains a project's stages, evaluates the model and writes a report") { project, set, report, seeds, resume, watch, profile, input, json };
    command.SetAction((parsed, cancellation) =>
    {
        var supervised = parsed.GetValue(input);
        using var end = new InputEnd(supervised, cancellation);
        var run = new RunCommand(
            new RunRequest(
                parsed.GetValue(project) ?? (parsed.GetValue(resume) is null ? throw new UserErrorException("run: name a project file, or a run with --resume.") : ""),
                parsed.GetValue(set) ?? [], parsed.GetValue(hostFile), parsed.GetValue(report),
                parsed.GetValue(seeds) is var n and > 0 ? n : throw new UserErrorException($"--seeds {parsed.GetValue(seeds)}: at least 1 is needed."), parsed.GetValue(resume), parsed.GetValue(watch), parsed.GetValue(profile), parsed.GetValue(json), supervised),
            Logs(), parsed.GetValue(json) ? Console.Error : Console.Out, !Console.IsOutputRedirected && !parsed.GetValue(json), end.Token);
        try
        {
            return Task.FromResult(run.Run());
        }
        catch (OperationCanceledException) when (supervised)
        {
            Console.Error.WriteLine("stopped");
            return Task.FromResult(ExitCode.Again);
        }
    });
    return command;
}

Command Plan()
{
    var project = new Argument<string>("project") { Description = "A project file" };
    var command = new Command("plan", "Checks a project and prints its graph, without running any plugin code") { project, set, json };
    command.SetAction(parsed => PlanCommand.Run(
        parsed.GetValue(project)!, parsed.GetValue(set) ?? [], parsed.GetValue(hostFile), parsed.GetValue(json), Console.Out));
    return command;
}

Command Chat()
{
    var run = new Argument<string>("run") { Description = "A run: folder, name or 'latest'" };
    var question = new Argument<string?>("question") { Description = "What to ask; without it, questions are read from the input, one a line", Arity = ArgumentArity.ZeroOrOne };
    var image = new Option<string?>("--image") { Description = "A picture file" };
    var audio = new Option<string?>("--audio") { Description = "A sound file" };
    var video = new Option<string?>("--video") { Description = "A video file" };
    var adapter = new Option<string[]>("--adapter") { Description = "The folder of a trained adapter that answers in place of what is attached; of several, a line '/adapter NAME' chooses one", AllowMultipleArgumentsPerToken = false, Arity = ArgumentArity.ZeroOrMore };
    var temperature = new Option<double>("--temperature") { Description = "0: the most likely token; 1: the model's own distribution" };
    var topP = new Option<double>("--top-p") { Description = "Only the most likely tokens up to this mass", DefaultValueFactory = _ => 1 };
    var tokens = new Option<int>("--max-tokens") { Description = "Tokens at most", DefaultValueFactory = _ => 64 };
    var seed = new Option<int>("--seed") { Description = "Seed of the sampling" };
    var tools = new Option<bool>("--tools") { Description = "It may call the host's tools (server.tools of the host file, MCP servers, what is registered); the run may be a model of server.remotes" };
    var command = new Command("chat", "Asks a trained run about a picture, a sound or a video") { run, question, image, audio, video, adapter, temperature, topP, tokens, seed, tools, json };
    command.SetAction((parsed, cancellation) =>
    {
        var request = new ChatRequest(
            parsed.GetValue(run)!, parsed.GetValue(question), parsed.GetValue(image), parsed.GetValue(audio), parsed.GetValue(video), parsed.GetValue(hostFile),
            new Sampling(parsed.GetValue(tokens), parsed.GetValue(temperature), parsed.GetValue(topP), parsed.GetValue(seed)).Checked(), parsed.GetValue(json))
        { Adapters = parsed.GetValue(adapter) ?? [] };
        return parsed.GetValue(tools)
            ? new ToolChatCommand(request, Logs(), Console.In, Console.Out, cancellation).RunAsync()
            : Task.FromResult(new ChatCommand(request, Logs(), Console.In, Console.Out, cancellation).Run());
    });
    return command;
}

Command Evaluate()
{
    var run = new Argument<string>("run") { Description = "A run: folder, name or 'latest'" };
    var metrics = new Option<string[]>("--metrics") { Description = "Metrics, separated by commas, with or without 'metric.'; all: every installed one that the run can be rated by", DefaultValueFactory = _ => ["all"], CustomParser = Listed };
    var encoder = new Option<string?>("--encoder") { Description = "The run whose features metrics take that name none; default: the evaluated run" };
    var limit = new Option<int?>("--limit") { Description = "Samples of a split at most; 0: all; default: as in the project" };
    var splits = new Option<string[]>("--splits") { Description = "Splits, separated by commas; default: as in the project", DefaultValueFactory = _ => [], CustomParser = Listed };
    var tasks = new Option<string[]>("--tasks") { Description = "Tasks, separated by commas, a trailing * matches any ending; default: as in the project", DefaultValueFactory = _ => [], CustomParser = Listed };
    var report = new Option<string?>("--report") { Description = "Writes the report here as JSON, and as Markdown and a page beside it" };
    var command = new Command("evaluate", "Rates a trained run, each number beside its interval and its blind control") { run, metrics, encoder, limit, splits, tasks, report, json };
    command.SetAction((parsed, cancellation) => Task.FromResult(new EvaluateCommand(
        new EvaluateRequest(
            parsed.GetValue(run)!, parsed.GetValue(metrics)!, parsed.GetValue(encoder), parsed.GetValue(limit), parsed.GetValue(splits)!, parsed.GetValue(tasks)!,
            parsed.GetValue(hostFile), parsed.GetValue(report), parsed.GetValue(json)),
        Logs(), parsed.GetValue(json) ? Console.Error : Console.Out, !Console.IsOutputRedirected && !parsed.GetValue(json), cancellation).Run()));
    return command;
}

static string[] Listed(System.CommandLine.Parsing.ArgumentResult result) =>
    [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

Command Compare()
{
    var items = new Argument<string[]>("items") { Description = "Project files (.json), which are trained first, and runs: folder, name or 'latest'", Arity = ArgumentArity.OneOrMore };
    var report = new Option<string?>("--report") { Description = "Also writes the comparison's JSON here, and a page with plots beside it" };
    var seeds = new Option<int>("--seeds") { Description = "Trains each project with this many seeds and compares the means", DefaultValueFactory = _ => 1 };
    var metric = new Option<string?>("--metric") { Description = "The metric to compare by; default: the first of each project's evaluations" };
    var command = new Command("compare", "Trains projects, each in a process of its own, and compares them and finished runs") { items, set, report, seeds, metric, json };
    command.SetAction((parsed, cancellation) => Task.FromResult(new CompareCommand(
        new CompareRequest(
            parsed.GetValue(items)!, parsed.GetValue(set) ?? [], parsed.GetValue(hostFile), parsed.GetValue(report),
            parsed.GetValue(seeds) is var n and > 0 ? n : throw new UserErrorException($"--seeds {parsed.GetValue(seeds)}: at least 1 is needed."), parsed.GetValue(metric), parsed.GetValue(json)),
        parsed.GetValue(json) ? Console.Error : Console.Out, cancellation).Run()));
    return command;
}

static ILoggerFactory Logs() => NullLoggerFactory.Instance;
