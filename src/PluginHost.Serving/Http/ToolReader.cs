using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Serving.Http;

/// <summary>Reads the functions that a model may call, and calls that it has made.</summary>
internal static class ToolReader
{
    private const int MostTools = 128;

    /// <summary>Reads <c>tools</c> and <c>tool_choice</c> into the options.</summary>
    public static void Read(JsonObjectReader reader, ChatOptions options, List<ConfigError> errors)
    {
        var nodes = reader.Items("tools") ?? [];
        if (nodes.Count > MostTools) errors.Add(new ConfigError(reader.Value("tools")!.Location, $"there are {nodes.Count} tools; {MostTools} are the most"));
        var tools = nodes.Take(MostTools).Select(node => Tool(node, errors)).OfType<AITool>().ToList();
        if (tools.Count > 0) options.Tools = tools;
        if (reader.Value("tool_choice") is not { } choice) return;
        options.ToolMode = choice switch
        {
            { Kind: JsonKind.String, Text: "auto" } => ChatToolMode.Auto,
            { Kind: JsonKind.String, Text: "none" } => ChatToolMode.None,
            { Kind: JsonKind.String, Text: "required" } => ChatToolMode.RequireAny,
            { Kind: JsonKind.Object } when choice.Find("function")?.Find("name") is { Kind: JsonKind.String, Text: var name } => Named(choice, name, tools, errors),
            _ => Wrong(choice, "'tool_choice' is none, auto, required, or {\"type\":\"function\",\"function\":{\"name\":...}}", errors),
        };
        if (options.ToolMode is NoneChatToolMode) options.Tools = null;
        else if (tools.Count == 0 && errors.Count == 0) errors.Add(new ConfigError(choice.Location, "'tool_choice' needs 'tools' to choose from"));
    }

    /// <summary>A call in a message of the assistant's.</summary>
    public static FunctionCallContent Call(JsonElementNode node, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "a tool call", errors);
        var id = reader.RequiredText("id") ?? "";
        reader.Text("type");
        var function = reader.Required("function");
        reader.Integer("index", 0, 0, int.MaxValue);
        reader.End();
        if (function is null) return new FunctionCallContent(id, "");
        var called = new JsonObjectReader(function, "a called function", errors);
        var name = called.RequiredText("name") ?? "";
        var arguments = called.Value("arguments");
        called.End();
        return new FunctionCallContent(id, name, arguments is null or { Kind: JsonKind.String, Text: "" } ? null : Arguments(arguments, errors));
    }

    private static Dictionary<string, object?>? Arguments(JsonElementNode node, List<ConfigError> errors)
    {
        try
        {
            using var json = JsonDocument.Parse(node.Text, new JsonDocumentOptions { MaxDepth = JsonTreeReader.MaxDepth });
            return json.RootElement.EnumerateObject().ToDictionary(item => item.Name, item => (object?)item.Value.Clone());
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            errors.Add(new ConfigError(node.Location, "'arguments' is a text that holds a JSON object"));
            return null;
        }
    }

    private static AIFunctionDeclaration? Tool(JsonElementNode node, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "a tool", errors);
        if (reader.Text("type") is { } type && type != "function") errors.Add(new ConfigError(node.Find("type")!.Location, $"'{type}' is no tool that this server knows; 'function' is"));
        var function = reader.Required("function");
        reader.End();
        if (function is null) return null;
        var described = new JsonObjectReader(function, "a function", errors);
        var name = described.RequiredText("name");
        var description = described.AnyText("description");
        var parameters = described.Value("parameters");
        described.Flag("strict", false);
        described.End();
        if (name is null) return null;
        if (name.Length > 64 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-'))
        {
            errors.Add(new ConfigError(function.Find("name")!.Location, $"'{name}' is no name of a function: letters, digits, _ and -, 64 at most"));
            return null;
        }
        if (parameters is { Kind: not JsonKind.Object })
        {
            errors.Add(new ConfigError(parameters.Location, "'parameters' is a JSON Schema, an object"));
            return null;
        }
        using var schema = JsonDocument.Parse(parameters?.ToJsonString() ?? """{"type":"object","properties":{}}""");
        return AIFunctionFactory.CreateDeclaration(name, description, schema.RootElement.Clone());
    }

    private static ChatToolMode? Named(JsonElementNode node, string name, IReadOnlyList<AITool> tools, List<ConfigError> errors) => tools.Any(tool => tool.Name == name)
        ? ChatToolMode.RequireSpecific(name)
        : Wrong(node, $"'tool_choice' names '{name}'{NearestName.Suggestion(name, tools.Select(tool => tool.Name))}", errors);

    private static ChatToolMode? Wrong(JsonElementNode node, string message, List<ConfigError> errors)
    {
        errors.Add(new ConfigError(node.Location, message));
        return null;
    }
}
