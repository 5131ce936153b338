using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools.Mcp;

/// <summary>The registry's tools as an MCP server has them: what changes in the registry changes here, and sessions are told.</summary>
internal sealed class McpToolList : IDisposable
{
    private readonly ToolRegistry registry;
    private readonly Lock gate = new();

    public McpToolList(ToolRegistry registry)
    {
        this.registry = registry;
        registry.Changed += Follow;
        Follow();
    }

    public McpServerPrimitiveCollection<McpServerTool> Tools { get; } = [];

    public void Dispose() => registry.Changed -= Follow;

    private void Follow()
    {
        lock (gate)
        {
            var ready = registry.Ready;
            using var once = Tools.DeferChangedEvents();
            foreach (var old in Tools.Cast<McpTool>().Where(old => !ready.Any(tool => tool.Fingerprint == old.Fingerprint)).ToList()) Tools.Remove(old);
            foreach (var tool in ready) Tools.TryAdd(new McpTool(registry, tool));
        }
    }

    private sealed class McpTool(ToolRegistry registry, RegisteredTool tool) : McpServerTool
    {
        public string Fingerprint => tool.Fingerprint;

        public override Tool ProtocolTool { get; } = new()
        {
            Name = tool.Name,
            Description = tool.Description,
            InputSchema = tool.Parameters,
            Annotations = new ToolAnnotations { ReadOnlyHint = !tool.Writes, OpenWorldHint = true },
        };

        public override IReadOnlyList<object> Metadata => [];

        public override async ValueTask<CallToolResult> InvokeAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default)
        {
            var arguments = new JsonObject();
            foreach (var (name, value) in request.Params?.Arguments ?? new Dictionary<string, JsonElement>()) arguments[name] = JsonNode.Parse(value.GetRawText());
            using var json = JsonDocument.Parse(arguments.ToJsonString());
            // Whoever holds the name now: a registration may have changed in what nobody sees.
            var now = registry.Find(tool.Name) ?? tool;
            var outcome = await now.InvokeAsync(json.RootElement, cancellationToken);
            return new CallToolResult
            {
                Content = [new TextContentBlock { Text = outcome.Text }],
                IsError = outcome.IsError,
                Meta = new JsonObject { ["untrusted"] = true, ["cut"] = outcome.Cut, ["outcome"] = ToolMeter.NameOf(outcome.Status) },
            };
        }
    }
}
