using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools.Mcp;

/// <summary>
/// The tools of an MCP server: a program that is started, or an address. They are listed anew when the server says that they have changed, and once a minute, since a stateless server cannot say so. A server that
/// goes away is looked for again; until then its tools stay, and calls of them fail.
/// </summary>
internal sealed class McpSource(string source, McpServerConfig config, ToolRegistry registry, HttpClient http, ToolLimits limits, ILoggerFactory loggers) : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ListInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim listing = new(1);
    private readonly ILogger logger = loggers.CreateLogger<McpSource>();
    private McpConnection? connection;
    private Task following = Task.CompletedTask;

    /// <summary>Connects.</summary>
    /// <param name="wait">Whether the first connection has to be made now; otherwise it is looked for until it is there.</param>
    /// <param name="cancellation">Whoever asked has left.</param>
    /// <exception cref="UserErrorException">The server cannot be reached or is no MCP server.</exception>
    public async Task StartAsync(bool wait, CancellationToken cancellation)
    {
        if (wait) await ConnectAsync(cancellation);
        following = Task.Run(FollowAsync, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await following;
        if (connection is { } last) await last.DisposeAsync();
        stopping.Dispose();
        listing.Dispose();
    }

    private async Task FollowAsync()
    {
        var wait = TimeSpan.FromSeconds(1);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (connection is null) await ConnectAsync(stopping.Token);
                wait = TimeSpan.FromSeconds(1);
                await Task.WhenAny(connection!.Client.Completion, Task.Delay(ListInterval, stopping.Token));
                if (stopping.IsCancellationRequested) return;
                if (connection.Client.Completion.IsCompleted) await LeaveAsync("it ended");
                else await ListAsync(connection.Client, stopping.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                await LeaveAsync(error.Message);
                await Task.WhenAny(Task.Delay(wait, stopping.Token));
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
        }
    }

    private async Task ConnectAsync(CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping.Token);
        limited.CancelAfter(ConnectTimeout);
        McpConnection? made = null;
        try
        {
            made = McpConnection.Open(config, http);
            await made.StartAsync(OnChangedAsync, loggers, limited.Token);
            await ListAsync(made.Client, limited.Token);
            connection = made;
        }
        catch (Exception error) when (error is not UserErrorException && !cancellation.IsCancellationRequested)
        {
            if (made is not null) await made.DisposeAsync();
            throw new UserErrorException($"the MCP server '{config.Name}' ({config.Command ?? config.Url!.ToString()}) cannot be used: {(error is OperationCanceledException ? $"it did not answer within {ConnectTimeout.TotalSeconds:0} s" : error.Message)}");
        }
        catch
        {
            if (made is not null) await made.DisposeAsync();
            throw;
        }
    }

    private async ValueTask OnChangedAsync(McpClient client, CancellationToken cancellation)
    {
        try
        {
            await ListAsync(client, cancellation);
        }
        catch (Exception error) when (error is UserErrorException or McpException or IOException)
        {
            logger.LogError("The tools of the MCP server {Server} stay as they were: {Reason}", config.Name, error.Message);
        }
    }

    private async Task ListAsync(McpClient client, CancellationToken cancellation)
    {
        await listing.WaitAsync(cancellation);
        try
        {
            var tools = await client.ListToolsAsync(cancellationToken: cancellation);
            registry.Put(source, [.. tools.Select(tool => Offer(tool.ProtocolTool))]);
        }
        finally
        {
            listing.Release();
        }
    }

    private ToolOffer Offer(Tool tool)
    {
        var name = ToolOffer.Qualified(config.Name, tool.Name.Replace('.', '_').Replace('/', '_'));
        // A server that does not say whether a tool only reads is taken to write.
        return new ToolOffer(name, new McpFunction(name, tool, () => connection?.Client, config.Name)) { Writes = tool.Annotations?.ReadOnlyHint != true, Approved = config.Approved, Limits = limits };
    }

    private async Task LeaveAsync(string why)
    {
        logger.LogWarning("The MCP server {Server} is looked for again: {Reason}", config.Name, why);
        var left = connection;
        connection = null;
        if (left is not null) await left.DisposeAsync();
    }
}
