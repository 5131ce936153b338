using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Live;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary><c>pluginhost plugins swap</c>: replaces a plugin of a running host, or puts swapping under load.</summary>
internal static class SwapCommand
{
    private const int Callers = 8;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The command with its options.</summary>
    public static Command Create(Option<string?> hostFile)
    {
        var id = new Argument<string?>("id") { Description = "The plugin, such as fusion.mid", Arity = ArgumentArity.ZeroOrOne };
        var from = new Option<string?>("--from") { Description = "Folder of the new version; default: where the serving one came from, or the version that is installed now" };
        var run = RunningHostCommand.RunOption();
        var stress = new Option<int>("--stress") { Description = "Instead: swaps a project's fusion this often in this process while callers generate" };
        var project = new Option<string?>("--project") { Description = "With --stress: the project; default: pocket.json beside the host file" };
        var report = new Option<string?>("--report") { Description = "With --stress: also writes the figures' JSON here" };
        var command = new Command("swap", "Replaces a plugin of a running host without stopping it") { id, from, run, stress, project, report };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(stress) is var swaps and not 0)
                return await Stress(HostFile.Read(parsed.GetValue(hostFile)), parsed.GetValue(project), swaps, parsed.GetValue(report), Console.Out, cancellation);
            var wanted = parsed.GetValue(id) ?? throw new UserErrorException("plugins swap: name a plugin, or give --stress.");
            var folder = parsed.GetValue(from) is { } path ? Path.GetFullPath(path) : null;
            return await RunningHostCommand.AskAsync(parsed.GetValue(hostFile), parsed.GetValue(run)!, new ControlRequest("swap", wanted, folder), cancellation);
        });
        return command;
    }

    private static async Task<int> Stress(HostConfig host, string? project, int swaps, string? report, TextWriter output, CancellationToken cancellation)
    {
        if (swaps < 1) throw new UserErrorException($"--stress {swaps}: at least 1 swap is needed.");
        var path = project ?? Path.Combine(Path.GetDirectoryName(host.Path) ?? "", "pocket.json");
        var read = ProjectFile.Read(path, []);
        using var workspace = Workspace.Open(read, host, null, read.Seed, NullLoggerFactory.Instance, cancellation);
        output.WriteLine($"{swaps} swaps of {read.Name}'s fusion under {Callers} generating callers");
        var figures = await new SwapStress(workspace, swaps, Callers, output, cancellation).RunAsync();
        if (report is not null) AtomicFile.WriteText(report, figures.ToJsonString(Indented));
        output.WriteLine(figures.ToJsonString(Indented));
        return (int)figures["failedCalls"]! + (int)figures["wrongVersionAnswers"]! + (int)figures["pinned"]! == 0 ? ExitCode.Success : ExitCode.Failed;
    }
}
