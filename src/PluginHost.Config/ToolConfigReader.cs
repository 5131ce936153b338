using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Reads what <c>server</c> of a host file says about tools and agents.</summary>
internal static class ToolConfigReader
{
    /// <summary><c>tools</c>: plugins by id, or with <c>settings</c> and <c>approved</c>.</summary>
    public static IReadOnlyList<ToolUse> Tools(JsonObjectReader server, List<ConfigError> errors) => [.. (server.Items("tools") ?? []).Select(node => Tool(node, errors)).OfType<ToolUse>()];

    /// <summary><c>mcpServers</c>: programs (<c>command</c>, <c>args</c>) and addresses (<c>url</c>) by name.</summary>
    public static IReadOnlyList<McpServerConfig> McpServers(JsonObjectReader server, List<ConfigError> errors) => [.. server.Members("mcpServers").Select(member => McpServer(member, errors)).OfType<McpServerConfig>()];

    /// <summary><c>agents</c> by the names that they are served under.</summary>
    public static IReadOnlyList<AgentConfig> Agents(JsonObjectReader server, List<ConfigError> errors) => [.. server.Members("agents").Select(member => Agent(member, errors)).OfType<AgentConfig>()];

    private static ToolUse? Tool(JsonElementNode node, List<ConfigError> errors)
    {
        if (node is { Kind: JsonKind.String, Text.Length: > 0 }) return new ToolUse(new PluginUse(node.Text, null, node.Location), false);
        var reader = new JsonObjectReader(node, "a tool", errors);
        var id = reader.RequiredText("use");
        var settings = reader.Value("settings");
        var approved = reader.Flag("approved", false);
        reader.End();
        if (settings is { Kind: not JsonKind.Object }) errors.Add(new ConfigError(settings.Location, $"'settings' is an object, not {JsonObjectReader.Describe(settings)}"));
        return id is null ? null : new ToolUse(new PluginUse(id, settings, node.Location), approved);
    }

    private static McpServerConfig? McpServer(JsonMember member, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(member.Value, "an MCP server", errors);
        var command = reader.Text("command");
        var arguments = reader.Texts("args", []);
        var url = reader.Text("url");
        var approved = reader.Flag("approved", false);
        reader.End();
        Uri? address = null;
        if (command is null == url is null) errors.Add(new ConfigError(member.NameLocation, $"the MCP server '{member.Name}' has a 'command' or a 'url'"));
        else if (url is not null && (!Uri.TryCreate(url, UriKind.Absolute, out address) || address.Scheme is not ("http" or "https"))) errors.Add(new ConfigError(member.Value.Find("url")!.Location, $"'{url}' is no address of an MCP server, such as https://tools.example/mcp"));
        else return new McpServerConfig(member.Name, command, arguments, address, approved);
        return null;
    }

    private static AgentConfig? Agent(JsonMember member, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(member.Value, "an agent", errors);
        var model = reader.RequiredText("model");
        var standard = new AgentConfig(member.Name, model ?? "");
        var agent = standard with
        {
            Tools = reader.Texts("tools", standard.Tools),
            Instructions = reader.Text("instructions"),
            MaxSteps = (int)reader.Integer("maxSteps", standard.MaxSteps, 1, 1000),
            MaxTokens = (int)reader.Integer("maxTokens", standard.MaxTokens, 0, int.MaxValue),
            MaxTime = reader.Duration("maxTime", standard.MaxTime),
        };
        reader.End();
        return model is null ? null : agent;
    }
}
