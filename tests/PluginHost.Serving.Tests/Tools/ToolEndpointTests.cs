using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Tools;

public sealed class ToolEndpointTests : IAsyncLifetime
{
    private const string Search = """
        "description":"searches","parameters":{"query":{"type":"string","description":"what"},"limit":{"type":"integer","default":5}},"required":["query"]
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("tools").FullName;
    private ToolServer server = null!;

    private string File => Path.Combine(folder, "tools.json");

    public async Task InitializeAsync() => server = await ToolServer.StartAsync(File);

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, true);
    }

    private Task<(HttpStatusCode Status, JsonNode? Body)> RegisterAsync(string name, string more) =>
        server.SendAsync("POST", "/v1/tools", $$"""{"name":"{{name}}","endpoint":"{{server.Origin.Url}}/echo",{{more}}}""");

    private static string Message((HttpStatusCode, JsonNode? Body) answer) => (string)answer.Body!["error"]!["message"]!;

    [Fact]
    public async Task Register_ShortForm_IsListedCalledAndRemoved()
    {
        var registered = await RegisterAsync("web_search", Search);
        Assert.Equal(HttpStatusCode.Created, registered.Status);
        Assert.Equal("ready", (string?)registered.Body!["state"]);
        Assert.Equal("""["query"]""", registered.Body!["parameters"]!["required"]!.ToJsonString());
        Assert.Equal(["web_search"], await server.NamesAsync());

        var called = await server.CallAsync("web_search", """{"query":"cats"}""");
        Assert.Equal((HttpStatusCode.OK, "\"héllo\"", true, false), (called.Status, (string?)called.Body!["content"], (bool)called.Body!["untrusted"]!, (bool)called.Body!["cut"]!));
        Assert.Equal(["""POST /echo {"query":"cats","limit":5}"""], server.Origin.Asked);

        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("DELETE", "/v1/tools/web_search")).Status);
        Assert.Empty(await server.NamesAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await server.CallAsync("web_search")).Status);
    }

    [Fact]
    public async Task Register_JsonSchema_IsTakenAsItIs()
    {
        var registered = await RegisterAsync("add", """ "description":"adds","parameters":{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}""");
        Assert.Equal("""{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}""", registered.Body!["parameters"]!.ToJsonString());
    }

    [Fact]
    public async Task Invoke_WrongArguments_AreRefusedBeforeTheEndpointIsAsked()
    {
        await RegisterAsync("web_search", Search);
        var wrong = await server.CallAsync("web_search", """{"query":1,"limt":2}""");
        Assert.Equal((HttpStatusCode.BadRequest, "arguments", "tool_invalid"), (wrong.Status, (string?)wrong.Body!["error"]!["param"], (string?)wrong.Body!["error"]!["code"]));
        Assert.Equal("arguments of 'web_search': 'query' is 1, not a text; there is no argument 'limt'; did you mean 'limit'?", Message(wrong));
        Assert.Empty(server.Origin.Asked);
    }

    [Fact]
    public async Task Register_ATakenName_IsAConflict()
    {
        await RegisterAsync("web_search", Search);
        Assert.Equal(HttpStatusCode.Created, (await RegisterAsync("web_search", Search)).Status); // the same again
        var taken = await RegisterAsync("web_search", """ "description":"another" """);
        Assert.Equal((HttpStatusCode.Conflict, "tool_exists"), (taken.Status, (string?)taken.Body!["error"]!["code"]));
        Assert.Contains("PUT /v1/tools/web_search", Message(taken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Change_ARegistration_AsksForApprovalAgain()
    {
        await RegisterAsync("web_search", Search);
        var changed = await server.SendAsync("PUT", "/v1/tools/web_search", $$"""{"name":"web_search","description":"searches, and more","endpoint":"{{server.Origin.Url}}/echo"}""");
        Assert.Equal((HttpStatusCode.OK, "waiting"), (changed.Status, (string?)changed.Body!["state"]));
        var refused = await server.CallAsync("web_search");
        Assert.Equal((HttpStatusCode.Forbidden, "tool_unapproved"), (refused.Status, (string?)refused.Body!["error"]!["code"]));
        Assert.Equal("ready", (string?)(await server.SendAsync("POST", "/v1/tools/web_search/approve")).Body!["state"]);
        Assert.Equal(HttpStatusCode.OK, (await server.CallAsync("web_search")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("PUT", "/v1/tools/web_serch", $$"""{"name":"web_serch","endpoint":"{{server.Origin.Url}}/echo"}""")).Status);
    }

    [Fact]
    public async Task Register_AToolThatWrites_WaitsForApproval()
    {
        Assert.Equal("waiting", (string?)(await RegisterAsync("erase", """ "writes":true""")).Body!["state"]);
        Assert.Contains("POST /v1/tools/erase/approve", Message(await server.CallAsync("erase")), StringComparison.Ordinal);
        Assert.Empty(server.Origin.Asked);
    }

    [Fact]
    public async Task Restart_Registrations_AreThereAgain()
    {
        await RegisterAsync("web_search", Search);
        await RegisterAsync("erase", """ "writes":true""");
        await server.SendAsync("POST", "/v1/tools/erase/approve");
        await using var again = await ToolServer.StartAsync(File);
        Assert.Equal(["erase", "web_search"], await again.NamesAsync());
        Assert.All(again.Registry.All, tool => Assert.Equal(PluginHost.Tools.Registry.ToolState.Ready, tool.State));
    }

    [Fact]
    public async Task Register_AFileThatCannotBeWritten_ChangesNothing()
    {
        System.IO.File.Delete(File);
        Directory.CreateDirectory(File); // in its way
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "tools_unavailable"), await RegisterAsync("web_search", Search) is var answer ? (answer.Status, (string?)answer.Body!["error"]!["code"]) : default);
        Assert.Empty(await server.NamesAsync());
        Directory.Delete(File);
        Assert.Equal(HttpStatusCode.Created, (await RegisterAsync("web_search", Search)).Status);
    }

    [Theory]
    [InlineData("""{"name":"a b","endpoint":"https://a.example"}""", "no name of a tool")]
    [InlineData("""{"name":"a"}""", "one of 'endpoint'")]
    [InlineData("""{"name":"a","endpoint":"https://a.example","mcp":"https://a.example"}""", "one of 'endpoint'")]
    [InlineData("""{"name":"a","endpoint":"ftp://a.example"}""", "'ftp:' is not asked")]
    [InlineData("""{"name":"a","endpoint":"https://user:secret@a.example"}""", "user or a password")]
    [InlineData("""{"name":"a","endpoint":"https://a.example","parametres":{}}""", "did you mean 'parameters'?")]
    [InlineData("""{"name":"a","endpoint":"https://a.example","parameters":{"type":"object","properties":{"x":{"pattern":"(?!a)"}}}}""", "linear time")]
    [InlineData("""{"name":"a","endpoint":"https://a.example","parameters":{"type":"object","$ref":"#"}}""", "without end")]
    [InlineData("""{"name":"a","endpoint":"https://a.example","parameters":{"type":"object","properties":{"x":{"$ref":"#"}},"required":["x"]}}""", "no value can satisfy")]
    public async Task Register_Damaged_IsRefused(string body, string why)
    {
        var refused = await server.SendAsync("POST", "/v1/tools", body);
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains(why, Message(refused), StringComparison.Ordinal);
        Assert.Empty(await server.NamesAsync());
    }

    [Fact]
    public async Task Register_HundredKilobytesOfSchema_IsRefused()
    {
        var refused = await RegisterAsync("a", $$$""" "parameters":{"x":{"type":"string","description":"{{{new string('x', 100_000)}}}"}}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("64 kB are the most", Message(refused), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_Unchanged_IsNotSentAgain()
    {
        await RegisterAsync("web_search", Search);
        using var first = await server.Server.Client.GetAsync("/v1/tools");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/tools");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var same = await server.Server.Client.SendAsync(request);
        Assert.Equal((HttpStatusCode.NotModified, ""), (same.StatusCode, await same.Content.ReadAsStringAsync()));
        await server.SendAsync("DELETE", "/v1/tools/web_search");
        using var changed = await server.Server.Client.GetAsync("/v1/tools");
        Assert.NotEqual(first.Headers.ETag, changed.Headers.ETag);
    }

    [Fact]
    public async Task Routes_OfAdmins_TakeTheirKeys()
    {
        var (user, admin) = ("", "");
        await using var guarded = await ToolServer.StartAsync(Path.Combine(folder, "guarded.json"), keys: keys => (user, admin) = (keys.Create("user", admin: false), keys.Create("admin", admin: true)));
        var body = $$"""{"name":"echo","endpoint":"{{guarded.Origin.Url}}/echo"}""";
        Assert.Equal(HttpStatusCode.Unauthorized, (await guarded.SendAsync("GET", "/v1/tools")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await guarded.SendAsync("POST", "/mcp", "{}")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await guarded.SendAsync("POST", "/v1/tools", body, user)).Status);
        Assert.Equal(HttpStatusCode.Created, (await guarded.SendAsync("POST", "/v1/tools", body, admin)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await guarded.SendAsync("POST", "/v1/tools/echo/approve", "", user)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await guarded.SendAsync("PUT", "/v1/tools/echo", body, user)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await guarded.SendAsync("DELETE", "/v1/tools/echo", "", user)).Status);
        Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync("POST", "/v1/tools/echo/invoke", "{}", user)).Status);
        Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync("GET", "/v1/tools/echo", "", user)).Status);
    }

    [Fact]
    public async Task Metrics_OfCalls_StandByTool()
    {
        await RegisterAsync("measured_echo", Search);
        await server.CallAsync("measured_echo", """{"query":"a"}""");
        var metrics = await server.Server.Client.GetStringAsync("/metrics");
        Assert.Contains("pluginhost_tool_calls", metrics, StringComparison.Ordinal);
        Assert.Matches("gen_ai_tool_call_duration_seconds_count\\{[^}]*gen_ai_tool_name=\"measured_echo\"[^}]*outcome=\"done\"", metrics);
    }
}
