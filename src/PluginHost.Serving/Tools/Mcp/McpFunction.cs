using System.Text.Json;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;

namespace PluginHost.Serving.Tools.Mcp;

/// <summary>A tool of an MCP server.</summary>
/// <param name="name">What it is called here.</param>
/// <param name="tool">What the server says about it.</param>
/// <param name="client">The connection; null: there is none now.</param>
/// <param name="server">The server's name.</param>
internal sealed class McpFunction(string name, Tool tool, Func<McpClient?> client, string server) : AIFunction
{
    public override string Name => name;

    public override string Description => tool.Description ?? "";

    public override JsonElement JsonSchema => tool.InputSchema;

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var connected = client() ?? throw Gone();
        CallToolResult result;
        try
        {
            // A call that waits for a server which has gone would wait until its deadline.
            var call = connected.CallToolAsync(tool.Name, arguments, cancellationToken: cancellationToken).AsTask();
            if (await Task.WhenAny(call, connected.Completion) != call && !call.IsCompleted) throw Gone();
            result = await call;
        }
        catch (Exception error) when (error is not ToolFailedException && !cancellationToken.IsCancellationRequested)
        {
            throw new ToolFailedException($"the MCP server '{server}' did not answer: {error.Message}");
        }
        var text = string.Join('\n', result.Content.Select(Text));
        if (text.Length == 0 && result.StructuredContent is { } structured) text = structured.ToString();
        return result.IsError == true ? throw new UserErrorException(text) : text;
    }

    private ToolFailedException Gone() => new($"the MCP server '{server}' has gone; it is looked for again");

    private static string Text(ContentBlock block) => block switch
    {
        TextContentBlock text => text.Text,
        ImageContentBlock picture => $"[{picture.MimeType}]",
        AudioContentBlock sound => $"[{sound.MimeType}]",
        EmbeddedResourceBlock { Resource: TextResourceContents text } => text.Text,
        ResourceLinkBlock link => link.Uri,
        _ => $"[{block.Type}]",
    };
}
