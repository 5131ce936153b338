using System.IO.Pipes;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginHost.Live;

/// <summary>What another terminal asks of a running host.</summary>
/// <param name="Command"><c>swap</c>, <c>list</c>, <c>quarantine</c>, <c>restore</c> or <c>drain</c>.</param>
/// <param name="Id">A plugin.</param>
/// <param name="Folder">The new version's folder; null: the one that the serving version came from.</param>
internal sealed record ControlRequest(string Command, string? Id, string? Folder);

/// <summary>The answer: an exit code and what to print.</summary>
internal sealed record ControlReply(int ExitCode, string Text);

/// <summary>
/// The local door of a running host: a named pipe (on Unix a socket) that only its user can open, named after the run folder. One
/// request, one reply, each a line of JSON.
/// </summary>
internal sealed class HostControl : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource stop = new();
    private readonly Task serving;

    private HostControl(string run, Func<ControlRequest, Task<ControlReply>> handle) => serving = Task.Run(() => Serve(NameOf(run), handle));

    /// <summary>Opens the door of a run.</summary>
    public static HostControl Open(string run, Func<ControlRequest, Task<ControlReply>> handle) => new(run, handle);

    /// <summary>Asks the host of a run.</summary>
    /// <exception cref="UserErrorException">No host is running it.</exception>
    public static async Task<ControlReply> AskAsync(string run, ControlRequest request, CancellationToken cancellation)
    {
        using var pipe = new NamedPipeClientStream(".", NameOf(run), PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        try
        {
            await pipe.ConnectAsync(Patience, cancellation);
        }
        catch (Exception error) when (error is TimeoutException or IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"no host of yours is running {run}; 'plugins swap' changes a host while it runs, 'plugins install' what the next one finds");
        }
        using var reader = new StreamReader(pipe, leaveOpen: true);
        await WriteLine(pipe, new JsonObject { ["command"] = request.Command, ["id"] = request.Id, ["folder"] = request.Folder }, cancellation);
        var line = await reader.ReadLineAsync(cancellation) ?? throw new UserErrorException($"the host of {run} ended before it answered");
        var reply = JsonNode.Parse(line)!;
        return new ControlReply((int)reply["exitCode"]!, (string)reply["text"]!);
    }

    /// <summary>Closes the door after the request that is being answered.</summary>
    public void Dispose()
    {
        stop.Cancel();
        serving.Wait();
        stop.Dispose();
    }

    private async Task Serve(string name, Func<ControlRequest, Task<ControlReply>> handle)
    {
        try
        {
            while (true)
            {
                using var pipe = new NamedPipeServerStream(
                    name, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
                await pipe.WaitForConnectionAsync(stop.Token);
                await Answer(pipe, handle);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // closed, or the system gives no pipe: the run goes on without a door
        }
    }

    // A caller that sends nonsense or goes away costs only its own request.
    private async Task Answer(NamedPipeServerStream pipe, Func<ControlRequest, Task<ControlReply>> handle)
    {
        try
        {
            using var reader = new StreamReader(pipe, leaveOpen: true);
            var reply = await Reply(await reader.ReadLineAsync(stop.Token), handle);
            await WriteLine(pipe, new JsonObject { ["exitCode"] = reply.ExitCode, ["text"] = reply.Text }, stop.Token);
        }
        catch (IOException)
        {
        }
    }

    private static async Task<ControlReply> Reply(string? line, Func<ControlRequest, Task<ControlReply>> handle)
    {
        try
        {
            var request = JsonNode.Parse(line ?? "") as JsonObject ?? throw new UserErrorException("a request is a line of JSON");
            return await handle(new ControlRequest((string?)request["command"] ?? "", (string?)request["id"], (string?)request["folder"]));
        }
        catch (Exception error) when (error is System.Text.Json.JsonException)
        {
            return new ControlReply(ExitCode.UserError, "a request is a line of JSON");
        }
        catch (Exception error) when (error is UserErrorException or Config.ConfigException)
        {
            return new ControlReply(ExitCode.UserError, error.Message);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Whatever a request ran into costs that request, not the run.
            return new ControlReply(ExitCode.Failed, error.Message);
        }
    }

    private static async Task WriteLine(Stream stream, JsonObject value, CancellationToken cancellation)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(value.ToJsonString() + "\n"), cancellation);
        await stream.FlushAsync(cancellation);
    }

    // Short, because a Unix socket's path is.
    private static string NameOf(string run) => "pluginhost-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(run))))[..16];
}
