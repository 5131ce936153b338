using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Serving.Tools.Mcp;

/// <summary>A connection to an MCP server. What it sends is read message by message, and a message that is too long ends the connection instead of filling the memory.</summary>
internal sealed class McpConnection : IAsyncDisposable
{
    /// <summary>Most bytes of a message.</summary>
    public const int MostBytes = 8 << 20;

    private readonly Process? process;
    private readonly HttpClient? client;
    private readonly IClientTransport transport;

    private McpConnection(IClientTransport transport, Process? process, HttpClient? client) => (this.transport, this.process, this.client) = (transport, process, client);

    public McpClient Client { get; private set; } = null!;

    /// <exception cref="UserErrorException">The program cannot be started.</exception>
    public static McpConnection Open(McpServerConfig config, HttpClient http)
    {
        if (config.Url is { } url)
        {
            var limited = new HttpClient(new CappedHandler(http)) { Timeout = Timeout.InfiniteTimeSpan };
            return new McpConnection(new HttpClientTransport(new HttpClientTransportOptions { Endpoint = url, Name = config.Name, TransportMode = HttpTransportMode.StreamableHttp }, limited, null, ownsHttpClient: false), null, limited);
        }
        var process = Start(config);
        return new McpConnection(new StreamClientTransport(process.StandardInput.BaseStream, new CappedLines(process.StandardOutput.BaseStream, MostBytes)), process, null);
    }

    /// <summary>Greets the server.</summary>
    /// <param name="changed">Called when it says that its tools have changed.</param>
    /// <param name="loggers">For the protocol's messages.</param>
    /// <param name="cancellation">Ends the greeting.</param>
    public async Task StartAsync(Func<McpClient, CancellationToken, ValueTask> changed, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var options = new McpClientOptions { ClientInfo = new Implementation { Name = "pluginhost", Version = "0.1" } };
        Client = await McpClient.CreateAsync(transport, options, loggers, cancellation);
        Client.RegisterNotificationHandler(NotificationMethods.ToolListChangedNotification, (_, token) => changed(Client, token));
    }

    public async ValueTask DisposeAsync()
    {
        if (Client is { } started) await started.DisposeAsync();
        client?.Dispose();
        if (process is null) return;
        try
        {
            process.StandardInput.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await process.WaitForExitAsync(patience.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or InvalidOperationException)
        {
            process.Kill(entireProcessTree: true);
        }
        process.Dispose();
    }

    private static Process Start(McpServerConfig config)
    {
        try
        {
            var process = Process.Start(new ProcessStartInfo(config.Command!, config.Arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            process.ErrorDataReceived += (_, _) => { }; // what it complains about is read, so that it never waits for a reader
            process.BeginErrorReadLine();
            return process;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new UserErrorException($"the MCP server '{config.Name}' cannot be started: {config.Command}: {error.Message}");
        }
    }

    // Sends through the guarded client, and bounds answers to what is posted; a stream of notifications has no end.
    private sealed class CappedHandler(HttpClient http) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var sent = new HttpRequestMessage(request.Method, request.RequestUri) { Content = request.Content, Version = request.Version };
            foreach (var header in request.Headers) sent.Headers.TryAddWithoutValidation(header.Key, header.Value);
            var response = await http.SendAsync(sent, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            sent.Content = null; // it is the caller's to dispose
            if (request.Method != HttpMethod.Post) return response;
            var capped = new StreamContent(new CappedBytes(await response.Content.ReadAsStreamAsync(cancellationToken), MostBytes));
            foreach (var header in response.Content.Headers) capped.Headers.TryAddWithoutValidation(header.Key, header.Value);
            response.Content = capped;
            return response;
        }
    }
}
