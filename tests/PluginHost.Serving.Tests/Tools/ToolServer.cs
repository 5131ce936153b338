using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Config;
using PluginHost.Serving.Keys;
using PluginHost.Serving.Models;
using PluginHost.Serving.Tools;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tests.Tools;

/// <summary>A server with tools, and endpoints that it may reach.</summary>
internal sealed class ToolServer : IAsyncDisposable
{
    private readonly ToolHost tools;

    private ToolServer(TestServer server, ToolOrigin origin, ToolHost tools) => (Server, Origin, this.tools) = (server, origin, tools);

    public TestServer Server { get; }

    public ToolOrigin Origin { get; }

    public ToolRegistry Registry => tools.Registry;

    /// <param name="file">The file of registrations.</param>
    /// <param name="reach">Whether the endpoints on this machine may be reached.</param>
    /// <param name="keys">Makes keys.</param>
    /// <param name="origin">Endpoints that are there already; null: new ones.</param>
    /// <param name="change">Changes what the host file says.</param>
    /// <param name="model">A model, which the agents of the host file think with.</param>
    public static async Task<ToolServer> StartAsync(string file, bool reach = true, Action<ApiKeys>? keys = null, ToolOrigin? origin = null, Func<ServerConfig, ServerConfig>? change = null, IServedModel? model = null)
    {
        origin ??= await ToolOrigin.StartAsync();
        var config = new ServerConfig { Keys = "", Jobs = "", Projects = "", ToolFile = file, ToolHosts = reach ? [origin.Host] : [] };
        config = change?.Invoke(config) ?? config;
        var tools = await ToolHost.OpenAsync(config, null, Path.GetDirectoryName(file)!, NullLoggerFactory.Instance, new ToolLimits { RetryDelay = TimeSpan.FromMilliseconds(1), RestAfter = 100 });
        IReadOnlyList<IServedModel> more = model is null ? [] : [model, .. AgentModel.Of(config.Agents, [model], tools.Registry, Path.Combine(Path.GetDirectoryName(file)!, "agents"))];
        return new ToolServer(await TestServer.StartAsync(keys: keys, configure: builder => builder.Services.AddTools(tools), map: routes => routes.MapTools(), more: more), origin, tools);
    }

    /// <summary>Sends JSON; an empty text: no body.</summary>
    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(string method, string path, string json = "", string? key = null)
    {
        using var message = new HttpRequestMessage(new HttpMethod(method), path) { Content = json.Length == 0 ? null : new StringContent(json, System.Text.Encoding.UTF8, "application/json") };
        if (key is not null) message.Headers.Authorization = new("Bearer", key);
        using var response = await Server.Client.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Registers a tool behind one of the endpoints.</summary>
    public Task<(HttpStatusCode Status, JsonNode? Body)> AddAsync(string name, string path, string more = "") =>
        SendAsync("POST", "/v1/tools", $$"""{"name":"{{name}}","description":"a tool","endpoint":"{{Origin.Url}}{{path}}"{{(more.Length > 0 ? "," + more : "")}}}""");

    public Task<(HttpStatusCode Status, JsonNode? Body)> CallAsync(string name, string arguments = "{}") => SendAsync("POST", $"/v1/tools/{name}/invoke", $$"""{"arguments":{{arguments}}}""");

    public async Task<IReadOnlyList<string>> NamesAsync() => [.. (await SendAsync("GET", "/v1/tools")).Body!["data"]!.AsArray().Select(tool => (string)tool!["name"]!)];

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await tools.DisposeAsync();
        await Origin.DisposeAsync();
    }
}
