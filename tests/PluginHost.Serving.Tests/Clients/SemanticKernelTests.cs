using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using ModelContextProtocol.Client;
using OpenAI;
using PluginHost.Serving.Tests.Tools;

namespace PluginHost.Serving.Tests.Clients;

/// <summary>Semantic Kernel as it is published: a model of the server's as its chat service, and the server's tools, over MCP, as a plugin of its own.</summary>
public sealed class SemanticKernelTests
{
    [Fact]
    public async Task Kernel_OverTheServer_AsksItsModelsAndCallsItsTools()
    {
        var folder = Directory.CreateTempSubdirectory("tools").FullName;
        await using (var server = await ToolServer.StartAsync(Path.Combine(folder, "tools.json")))
        {
            await server.AddAsync("echo", "/echo", """ "parameters":{"word":{"type":"string"}},"required":["word"]""");
            using var chat = new OpenAIClient(new System.ClientModel.ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Server.Address, "v1") }).GetChatClient("echo").AsIChatClient();
            var answer = await chat.AsChatCompletionService().GetChatMessageContentAsync("hello");
            Assert.Equal("hello", answer.Content);

            await using var mcp = await McpClient.CreateAsync(new HttpClientTransport(new HttpClientTransportOptions { Endpoint = new Uri(server.Server.Address, "mcp") }));
            var kernel = new Kernel();
            kernel.Plugins.AddFromFunctions("server", (await mcp.ListToolsAsync()).Select(tool => tool.AsKernelFunction()));
            var result = await kernel.InvokeAsync("server", "echo", new KernelArguments { ["word"] = "a" });
            Assert.Equal("\"héllo\"", (string?)JsonNode.Parse(result.ToString())!["content"]![0]!["text"]);
        }
        Directory.Delete(folder, true);
    }
}
