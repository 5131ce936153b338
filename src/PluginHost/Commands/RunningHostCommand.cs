using System.CommandLine;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Live;

namespace PluginHost.Commands;

/// <summary>Commands that ask a running host: <c>pluginhost plugins swap|quarantine|restore|drain</c>.</summary>
internal static class RunningHostCommand
{
    /// <summary>A command that only names a plugin.</summary>
    public static Command Create(Option<string?> hostFile, string name, string description)
    {
        var id = new Argument<string>("id") { Description = "The plugin, such as fusion.mid" };
        var run = RunOption();
        var command = new Command(name, description) { id, run };
        command.SetAction((parsed, cancellation) => AskAsync(
            parsed.GetValue(hostFile), parsed.GetValue(run)!, new ControlRequest(name, parsed.GetValue(id), null), cancellation));
        return command;
    }

    /// <summary>Which running host is meant.</summary>
    public static Option<string> RunOption() =>
        new("--run") { Description = "The run whose host is asked (folder, name or 'latest')", DefaultValueFactory = _ => "latest" };

    /// <summary>Asks and prints the answer.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> AskAsync(string? hostFile, string run, ControlRequest request, CancellationToken cancellation)
    {
        var folder = RunFolder.Find(HostFile.Read(hostFile).Artifacts, run);
        var reply = await HostControl.AskAsync(folder.Path, request, cancellation);
        (reply.ExitCode == ExitCode.Success ? Console.Out : Console.Error).WriteLine(reply.Text);
        return reply.ExitCode;
    }
}
