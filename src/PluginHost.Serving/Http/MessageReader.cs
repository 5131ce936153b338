using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Serving.Http;

/// <summary>Reads the messages of a conversation. What is text stays text, whatever it looks like.</summary>
internal static class MessageReader
{
    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool"];

    // A list that is wrong everywhere need not be read to its end.
    private const int EnoughMistakes = 100;

    public static IReadOnlyList<ChatMessage> Read(IReadOnlyList<JsonElementNode> nodes, List<ConfigError> errors) =>
        [.. nodes.TakeWhile(_ => errors.Count < EnoughMistakes).Select(node => Read(node, errors))];

    private static ChatMessage Read(JsonElementNode node, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "a message", errors);
        var name = reader.RequiredText("role");
        if (name is not null && !Roles.Contains(name)) errors.Add(new ConfigError(node.Find("role")!.Location, $"'{name}' is no role{NearestName.Suggestion(name, Roles)}"));
        var role = name switch { "system" or "developer" => ChatRole.System, "assistant" => ChatRole.Assistant, "tool" => ChatRole.Tool, _ => ChatRole.User };
        var contents = Contents(reader, node, errors);
        if (role == ChatRole.Tool) contents = [new FunctionResultContent(reader.RequiredText("tool_call_id") ?? "", string.Concat(contents.OfType<TextContent>().Select(text => text.Text)))];
        foreach (var call in reader.Items("tool_calls") ?? []) contents.Add(ToolReader.Call(call, errors));
        if (contents.Count == 0 && role != ChatRole.Assistant) errors.Add(new ConfigError(node.Location, "a message needs 'content'"));
        var author = reader.AnyText("name");
        foreach (var known in (string[])["refusal", "audio", "annotations", "function_call"]) reader.Value(known);
        reader.End();
        return new ChatMessage(role, contents) { AuthorName = author };
    }

    private static List<AIContent> Contents(JsonObjectReader reader, JsonElementNode message, List<ConfigError> errors)
    {
        if (reader.Value("content") is not { } content) return [];
        if (content.Kind == JsonKind.String) return [new TextContent(content.Text)];
        return [.. (reader.Items("content") ?? []).TakeWhile(_ => errors.Count < EnoughMistakes).Select(part => Part(part, errors)).OfType<AIContent>()];
    }

    /// <summary>A part of a message.</summary>
    public static AIContent? Part(JsonElementNode node, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "a part of a message", errors);
        var type = reader.RequiredText("type");
        AIContent? content = type switch
        {
            null => null,
            "text" or "refusal" => reader.Required(type) is { Kind: JsonKind.String } text ? new TextContent(text.Text) : Wrong(node, $"'{type}' is a text", errors),
            "image_url" => reader.Required("image_url") is { } picture ? Picture(picture, errors) : null,
            "input_audio" => reader.Required("input_audio") is { } sound ? Sound(sound, errors) : null,
            _ => Wrong(node.Find("type")!, $"'{type}' is no part of a message{NearestName.Suggestion(type, ["text", "image_url", "input_audio"])}", errors),
        };
        reader.End();
        return content;
    }

    private static AIContent? Picture(JsonElementNode node, List<ConfigError> errors)
    {
        if (node.Kind == JsonKind.String) return Address(node, errors);
        var reader = new JsonObjectReader(node, "'image_url'", errors);
        var url = reader.Required("url");
        reader.AnyText("detail");
        reader.End();
        return url is null ? null : Address(url, errors);
    }

    /// <summary>A medium by its address: the data itself, or where it is to be fetched.</summary>
    private static AIContent? Address(JsonElementNode node, List<ConfigError> errors)
    {
        if (node.Kind != JsonKind.String) return Wrong(node, $"an address is a text, not {JsonObjectReader.Describe(node)}", errors);
        var text = node.Text;
        if (text.StartsWith("data:", StringComparison.OrdinalIgnoreCase)) return Data(node, text, errors);
        if (text.Contains('\\', StringComparison.Ordinal) || !Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            return Wrong(node, "an address begins with data:, https:// or http://", errors);
        return new UriContent(address, "image/*");
    }

    private static DataContent? Data(JsonElementNode node, string uri, List<ConfigError> errors)
    {
        var comma = uri.IndexOf(',', StringComparison.Ordinal);
        var head = comma < 0 ? "" : uri[5..comma];
        if (!head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase) || head.Split(';')[0] is not { Length: > 0 } type || !type.Contains('/', StringComparison.Ordinal))
            return Wrong(node, "data is written as data:image/png;base64,... with its own media type", errors);
        return Decoded(node, uri.AsSpan(comma + 1), type, errors);
    }

    private static DataContent? Sound(JsonElementNode node, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "'input_audio'", errors);
        var data = reader.Required("data");
        var format = reader.RequiredText("format");
        reader.End();
        if (data is null || format is null) return null;
        if (data.Kind != JsonKind.String) return Wrong(data, $"'data' is base64, not {JsonObjectReader.Describe(data)}", errors);
        if (!format.All(char.IsAsciiLetterOrDigit)) return Wrong(node.Find("format")!, $"'{format}' is no format of sounds, such as wav", errors);
        return Decoded(data, data.Text, "audio/" + format.ToLowerInvariant(), errors);
    }

    private static DataContent? Decoded(JsonElementNode node, ReadOnlySpan<char> base64, string type, List<ConfigError> errors)
    {
        var bytes = new byte[base64.Length / 4 * 3 + 3];
        if (!Convert.TryFromBase64Chars(base64, bytes, out var count)) return Wrong(node, "the data is not base64", errors);
        if (count == 0) return Wrong(node, "the data is empty", errors);
        try
        {
            return new DataContent(bytes.AsMemory(0, count), type);
        }
        catch (ArgumentException)
        {
            return Wrong(node, $"'{type}' is no media type, such as image/png", errors);
        }
    }

    private static DataContent? Wrong(JsonElementNode node, string message, List<ConfigError> errors)
    {
        errors.Add(new ConfigError(node.Location, message));
        return null;
    }
}
