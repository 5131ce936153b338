namespace PluginHost.Config.Tests;

public sealed class ToolConfigReaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ServerConfig Read(string json)
    {
        var path = Path.Combine(folder, "h.json");
        File.WriteAllText(path, $"{{ \"server\": {json} }}");
        return HostFile.Read(path).Server;
    }

    [Fact]
    public void Read_ToolsServersAndAgents_AreTaken()
    {
        var server = Read("""
            { "tools": ["tool.clock", { "use": "tool.files", "settings": { "root": "notes" }, "approved": true }], "toolHosts": ["127.0.0.1:8090"],
              "mcpServers": { "files": { "command": "node", "args": ["server.mjs"] }, "far": { "url": "https://tools.example/mcp" } },
              "agents": { "assistant": { "model": "pocket", "tools": ["clock"], "instructions": "Be brief.", "maxSteps": 3, "maxTokens": 100, "maxTime": "5s" }, "other": { "model": "pocket" } } }
            """);

        Assert.Equal([("tool.clock", false), ("tool.files", true)], server.Tools.Select(tool => (tool.Use.Id, tool.Approved)));
        Assert.Equal("notes", server.Tools[1].Use.Settings!.Find("root")!.Text);
        Assert.Equal(["127.0.0.1:8090"], server.ToolHosts);
        Assert.Equal([("files", "node", null), ("far", null, "https://tools.example/mcp")], server.McpServers.Select(item => (item.Name, item.Command, item.Url?.ToString())));
        Assert.Equal(("pocket", "Be brief.", 3, 100, TimeSpan.FromSeconds(5)), server.Agents[0] is var agent ? (agent.Model, agent.Instructions, agent.MaxSteps, agent.MaxTokens, agent.MaxTime) : default);
        Assert.Equal(["*"], server.Agents[1].Tools);
        Assert.Equal("tools.json", Path.GetFileName(server.ToolFile));
    }

    [Theory]
    [InlineData("""{ "tools": [{ "settings": {} }] }""", "$.server.tools[0]: a tool needs 'use'")]
    [InlineData("""{ "tools": [{ "use": "tool.files", "settings": 1 }] }""", "'settings' is an object, not 1")]
    [InlineData("""{ "toolHosts": ["http://a.example"] }""", "'http://a.example' is no host of tools")]
    [InlineData("""{ "mcpServers": { "a": {} } }""", "the MCP server 'a' has a 'command' or a 'url'")]
    [InlineData("""{ "mcpServers": { "a": { "url": "tools" } } }""", "'tools' is no address of an MCP server")]
    [InlineData("""{ "agents": { "a": { "tools": [] } } }""", "an agent needs 'model'")]
    [InlineData("""{ "agents": { "a": { "model": "m", "maxStep": 3 } } }""", "did you mean 'maxSteps'?")]
    [InlineData("""{ "agents": { "a": { "model": "m", "maxSteps": 0 } } }""", "'maxSteps' is 0, outside its range 1 to 1000")]
    public void Read_Mistake_SaysWhereAndWhatWouldDo(string json, string message) =>
        Assert.Contains(message, Assert.Throws<ConfigException>(() => Read(json)).Message, StringComparison.Ordinal);
}
