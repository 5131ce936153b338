using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Sdk;

namespace Plugins.Tools.Tests;

/// <summary>Calls functions of plugins straight.</summary>
internal static class ToolCalls
{
    public static IReadOnlyList<ToolFunction> Open(IToolPlugin plugin, string? folder = null, Func<HttpRequestMessage, HttpResponseMessage>? answer = null, TimeProvider? clock = null, IPassageSearch? documents = null) => plugin.Open(new ToolContext
    {
        Http = new HttpClient(new Answers(answer ?? (_ => new HttpResponseMessage(HttpStatusCode.NotFound)))),
        Logger = NullLogger.Instance,
        ContentFolder = AppContext.BaseDirectory,
        Folder = folder ?? AppContext.BaseDirectory,
        Clock = clock ?? TimeProvider.System,
        Documents = documents,
    });

    public static async Task<string> CallAsync(this IReadOnlyList<ToolFunction> functions, string name, object arguments)
    {
        var given = JsonSerializer.SerializeToElement(arguments);
        var result = await functions.Single(function => function.Name == name).InvokeAsync(new AIFunctionArguments(given.EnumerateObject().ToDictionary(item => item.Name, item => (object?)item.Value.Clone())));
        return result is JsonNode node ? node.ToJsonString() : $"{result}";
    }

    private sealed class Answers(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}
