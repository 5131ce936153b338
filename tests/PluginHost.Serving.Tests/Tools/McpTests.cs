using System.Net;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using PluginHost.Config;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tests.Tools;

/// <summary>Microsoft's MCP client against the server, and the server as a client of another.</summary>
public sealed class McpTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("tools").FullName;
    private ToolServer server = null!;

    public async Task InitializeAsync() => server = await ToolServer.StartAsync(Path.Combine(folder, "tools.json"));

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, true);
    }

    private static async Task<McpClient> ConnectAsync(ToolServer server, string? version = null) =>
        await McpClient.CreateAsync(new HttpClientTransport(new HttpClientTransportOptions { Endpoint = new Uri(server.Server.Address, "mcp") }), new McpClientOptions { ProtocolVersion = version });

    private static async Task UntilAsync(Func<bool> there)
    {
        for (var i = 0; i < 1000 && !there(); i++) await Task.Delay(10);
        Assert.True(there());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("2025-06-18")]
    public async Task Client_OfAnyVersion_ListsAndCalls(string? version)
    {
        await server.AddAsync("echo", "/echo", """ "parameters":{"word":{"type":"string"}},"required":["word"]""");
        await server.AddAsync("erase", "/echo", "\"writes\":true");
        await using var client = await ConnectAsync(server, version);
        var tool = Assert.Single(await client.ListToolsAsync());
        Assert.Equal(("echo", true), (tool.Name, tool.ProtocolTool.Annotations!.ReadOnlyHint));
        var result = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["word"] = "a" });
        Assert.Equal("\"héllo\"", ((TextContentBlock)result.Content[0]).Text);
        Assert.True((bool)result.Meta!["untrusted"]!);
        var wrong = await client.CallToolAsync("echo", new Dictionary<string, object?>());
        Assert.Equal((true, "arguments of 'echo': the arguments need 'word'"), (wrong.IsError, ((TextContentBlock)wrong.Content[0]).Text));
    }

    [Fact]
    public async Task Session_ThatListens_IsToldOfChanges()
    {
        await using var client = await ConnectAsync(server, "2025-06-18");
        Assert.True(client.ServerCapabilities.Tools!.ListChanged);
        var told = 0;
        await using var listening = client.RegisterNotificationHandler(NotificationMethods.ToolListChangedNotification, (_, _) =>
        {
            Interlocked.Increment(ref told);
            return ValueTask.CompletedTask;
        });
        // The stream of notifications opens beside the first requests.
        await client.ListToolsAsync();
        await UntilAsync(() =>
        {
            server.AddAsync($"tool{Random.Shared.Next()}", "/echo").GetAwaiter().GetResult();
            return Volatile.Read(ref told) > 0;
        });
        Assert.NotEmpty(await client.ListToolsAsync());
    }

    [Fact]
    public async Task WithoutASession_ATagTellsOfChanges()
    {
        async Task<string> Tag()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp");
            request.Headers.Add("Accept", "application/json, text/event-stream");
            request.Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", System.Text.Encoding.UTF8, "application/json");
            using var response = await server.Server.Client.SendAsync(request);
            return response.Headers.ETag!.Tag;
        }
        var before = await Tag();
        await server.AddAsync("echo", "/echo");
        Assert.NotEqual(before, await Tag());
    }

    [Fact]
    public async Task Source_AnMcpServer_ItsToolsComeChangeAndGo()
    {
        await using var far = await ToolServer.StartAsync(Path.Combine(folder, "far.json"));
        await far.AddAsync("echo", "/echo");
        await using var near = await ToolServer.StartAsync(Path.Combine(folder, "near.json"), change: config => config with { ToolHosts = [far.Server.Address.Authority] });
        var registered = await near.SendAsync("POST", "/v1/tools", $$"""{"name":"far","mcp":"{{far.Server.Address}}mcp"}""");
        Assert.Equal((HttpStatusCode.Created, "far__echo", "ready"), (registered.Status, (string?)registered.Body!["name"], (string?)registered.Body["state"]));
        Assert.Equal("\"héllo\"", (string?)(await near.CallAsync("far__echo")).Body!["content"]);
        Assert.Equal("far", Assert.Single(new ToolStore(Path.Combine(folder, "near.json")).Registrations.Keys));
        await near.SendAsync("DELETE", "/v1/tools/far");
        Assert.Empty(await near.NamesAsync());
    }

    [Fact]
    public async Task Source_AServerThatDisappearsMidCall_FailsTheCallAndStays()
    {
        var far = await ToolServer.StartAsync(Path.Combine(folder, "far.json"));
        await far.AddAsync("hang", "/hang");
        await using var near = await ToolServer.StartAsync(Path.Combine(folder, "near.json"), change: config => config with { ToolHosts = [far.Server.Address.Authority] });
        await near.SendAsync("POST", "/v1/tools", $$"""{"name":"far","mcp":"{{far.Server.Address}}mcp","deadline":"20s"}""");
        var call = near.CallAsync("far__hang");
        await UntilAsync(() => far.Origin.Asked.Count > 0);
        await far.DisposeAsync();
        var (status, body) = await call;
        Assert.Equal((HttpStatusCode.BadGateway, "tool_failed"), (status, (string?)body!["error"]!["code"]));
        Assert.Contains("the MCP server 'far'", (string?)body["error"]!["message"], StringComparison.Ordinal);
        Assert.Equal(["far__hang"], await near.NamesAsync());
    }

    [Fact]
    public async Task Source_NoMcpServer_IsRefused()
    {
        var refused = await server.SendAsync("POST", "/v1/tools", $$"""{"name":"far","mcp":"{{server.Origin.Url}}/echo"}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("the MCP server 'far'", (string?)refused.Body!["error"]!["message"], StringComparison.Ordinal);
        Assert.Empty(await server.NamesAsync());
    }

    [SkippableFact]
    public async Task Source_AProgram_IsStartedAndItsToolsAreApprovedFirst()
    {
        Skip.IfNot(File.Exists("/usr/bin/env"), "needs a shell");
        // A server of a few lines: it greets, lists one tool that says nothing about writing, and answers each call.
        const string program = """
            while read -r line; do
              id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
              case "$line" in
                *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}}' ;;
                *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"say","description":"says hello","inputSchema":{"type":"object"}}]}}' ;;
                *'"tools/call"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"hello"}]}}' ;;
                *'"id"'*) echo '{"jsonrpc":"2.0","id":'$id',"error":{"code":-32601,"message":"unknown"}}' ;;
              esac
            done
            """;
        await using var shell = await ToolServer.StartAsync(Path.Combine(folder, "shell.json"), change: config => config with { McpServers = [new McpServerConfig("shell", "/usr/bin/env", ["bash", "-c", program], null, false)] });
        await UntilAsync(() => shell.Registry.Find("shell__say") is not null);
        Assert.Equal(ToolState.Waiting, shell.Registry.Find("shell__say")!.State);
        await shell.SendAsync("POST", "/v1/tools/shell__say/approve");
        Assert.Equal("hello", (string?)(await shell.CallAsync("shell__say")).Body!["content"]);
    }
}
