using System.ClientModel;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using OpenAI;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Serving.Documents;
using PluginHost.Serving.Models;
using PluginHost.Serving.Tests.Tools;
using PluginHost.Serving.Tools;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tests.Documents;

public sealed class CitationTests : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;
    private readonly List<IAsyncDisposable> owned = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var item in Enumerable.Reverse(owned)) await item.DisposeAsync();
        Directory.Delete(folder, true);
    }

    // Asks for herons, then for boats, then answers from both; before all it writes a mark that cites nothing.
    private static ScriptedModel Citing() => new((results, _) => results.Count switch
    {
        0 => [new TextContent("see [1]. "), Call("c1", "heron")],
        1 => [Call("c2", "sloop heron")],
        _ => [new TextContent("Herons wade [1], sloops sail [2] [7].")],
    });

    private static FunctionCallContent Call(string id, string query) => new(id, "retrieve", new Dictionary<string, object?> { ["query"] = query });

    private async Task<TestServer> StartAsync()
    {
        var documents = new DocumentHost(folder, DocumentServer.Words());
        var config = new ServerConfig { Keys = "", Jobs = "", Projects = "", ToolFile = Path.Combine(folder, "tools.json"), Agents = [new AgentConfig("assistant", "scripted")] };
        var tools = await ToolHost.OpenAsync(config, null, folder, NullLoggerFactory.Instance);
        tools.Registry.Put("documents", [new ToolOffer("retrieve", new Searching(documents.Passages!))]);
        var model = Citing();
        var server = await TestServer.StartAsync(configure: builder => builder.Services.AddTools(tools).AddDocuments(documents), map: routes => routes.MapDocuments(),
            more: [model, .. AgentModel.Of(config.Agents, [model], tools.Registry, Path.Combine(folder, "agents"))]);
        owned.AddRange([new Closed(documents), tools, server]);
        await AddAsync(server, "birds.md", "# Herons\nA heron has long legs.");
        await AddAsync(server, "boats.md", "# Sloops\nA sloop has one mast.");
        return server;
    }

    private static async Task AddAsync(TestServer server, string name, string text)
    {
        using var sent = await server.Client.PostAsync("/v1/files", DocumentServer.Form(name, System.Text.Encoding.UTF8.GetBytes(text)));
        var file = (string)JsonNode.Parse(await sent.Content.ReadAsStringAsync())!["id"]!;
        var stores = JsonNode.Parse(await server.Client.GetStringAsync("/v1/vector_stores"))!["data"]!.AsArray();
        var store = stores.Count > 0 ? (string)stores[0]!["id"]! : (string)JsonNode.Parse(await (await server.PostAsync("/v1/vector_stores", """{"name":"notes"}""")).Content.ReadAsStringAsync())!["id"]!;
        await server.PostAsync($"/v1/vector_stores/{store}/files", $$"""{"file_id":"{{file}}"}""");
        for (var i = 0; i < 3000 && !(await server.Client.GetStringAsync($"/v1/vector_stores/{store}/files/{file}")).Contains("completed", StringComparison.Ordinal); i++) await Task.Delay(10);
    }

    [Fact]
    public async Task Agent_ThatCitesPassages_SaysWhichTheyAre()
    {
        var server = await StartAsync();

        using var answer = await server.PostAsync("/v1/chat/completions", """{"model":"assistant","messages":[{"role":"user","content":"?"}]}""");

        var message = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["choices"]![0]!["message"]!;
        Assert.Equal("see [1]. Herons wade [1], sloops sail [2] [7].", (string)message["content"]!);
        Assert.Equal([("birds.md", "Herons", "[1]", 21), ("boats.md", "Sloops", "[2]", 38)], Cited(message, (string)message["content"]!));
    }

    [Fact]
    public async Task Agent_Streamed_SaysItAtTheEnd()
    {
        var server = await StartAsync();

        using var answer = await server.PostAsync("/v1/chat/completions", """{"model":"assistant","stream":true,"messages":[{"role":"user","content":"?"}]}""");

        var deltas = (await answer.Content.ReadAsStringAsync()).Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line[6..])!["choices"]![0]!).ToList();
        var text = string.Concat(deltas.Select(choice => (string?)choice["delta"]!["content"]));
        var last = Assert.Single(deltas, choice => choice["delta"]!["annotations"] is not null);
        Assert.Equal("stop", (string)last["finish_reason"]!);
        Assert.Equal([("birds.md", "Herons", "[1]", 21), ("boats.md", "Sloops", "[2]", 38)], Cited(last["delta"]!, text));
    }

    [Fact]
    public async Task Agent_AskedThroughOpenAIsClient_AnswersUnchanged()
    {
        var server = await StartAsync();
        var client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "v1") }).GetChatClient("assistant");

        var answer = (await client.CompleteChatAsync(OpenAI.Chat.ChatMessage.CreateUserMessage("?"))).Value;

        Assert.Equal("see [1]. Herons wade [1], sloops sail [2] [7].", answer.Content[0].Text);
    }

    [Theory]
    [InlineData("""{"passages":[{"mark":"[1]","id":"a#0","document":"a","source":"a.md","place":""}]}""", 1)]
    [InlineData("""{"passages":[{"mark":"[1]","id":"a#0"},{"mark":"[1]","id":"b#0"}]}""", 0)]
    [InlineData("""{"passages":[{"mark":1,"id":"a#0"}]}""", 0)]
    [InlineData("""{"passages":[{"mark":"[1]","mark":"[1]","id":"a#0"}]}""", 0)]
    [InlineData("""{"passages":"[1]"}""", 0)]
    [InlineData("{ no json [1]", 0)]
    public async Task Caller_WithToolResultsOfItsOwn_GetsAnnotationsOfWhatIsPlain(string result, int expected)
    {
        var server = await StartAsync();
        var body = new JsonObject
        {
            ["model"] = "echo",
            ["messages"] = new JsonArray(
                new JsonObject { ["role"] = "user", ["content"] = "?" },
                new JsonObject { ["role"] = "assistant", ["tool_calls"] = new JsonArray(new JsonObject { ["id"] = "c1", ["type"] = "function", ["function"] = new JsonObject { ["name"] = "retrieve", ["arguments"] = "{}" } }) },
                new JsonObject { ["role"] = "tool", ["tool_call_id"] = "c1", ["content"] = result },
                new JsonObject { ["role"] = "user", ["content"] = "say [1]" }),
        };

        using var answer = await server.PostAsync("/v1/chat/completions", body.ToJsonString());

        var message = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["choices"]![0]!["message"]!;
        Assert.Equal("say [1]", (string)message["content"]!);
        Assert.Equal(expected, message["annotations"]?.AsArray().Count ?? 0);
    }

    private static List<(string, string, string, int)> Cited(JsonNode message, string text) => [.. message["annotations"]!.AsArray().Select(item =>
    {
        Assert.Equal("file_citation", (string)item!["type"]!);
        var cited = item["file_citation"]!;
        Assert.StartsWith("file-", (string)cited["file_id"]!, StringComparison.Ordinal);
        var (from, to) = ((int)cited["start_index"]!, (int)cited["end_index"]!);
        return ((string)cited["filename"]!, (string)cited["place"]!, text[from..to], from);
    })];

    private sealed class Searching(IPassageSearch documents) : ToolFunction("retrieve", "Finds passages.", """{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}""")
    {
        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => ValueTask.FromResult<object?>(PassageList.ToJson(documents.Search("notes", Text(arguments, "query")!, 5)));
    }

    private sealed class Closed(IDisposable item) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            item.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
