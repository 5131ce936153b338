using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PluginHost.Sdk;

/// <summary>
/// How functions, calls of them and their results are written where no chat template says it; the calls as Qwen's and Hermes' models write them. Training data that teaches to call functions
/// is written with it, so that a served model reads what it was taught.
/// </summary>
public static class CallText
{
    /// <summary>Begins a call.</summary>
    public const string Begin = "<tool_call>";

    /// <summary>Ends a call.</summary>
    public const string End = "</tool_call>";

    private const int MostNesting = 8;

    /// <summary>
    /// A line for each function, short since small models read little: <c>play(song, volume?: integer, where?: kitchen|garden) Plays a song.</c> An argument of which no type is said
    /// is a text.
    /// </summary>
    /// <param name="tools">Functions that may be called.</param>
    /// <returns>Lines with a line break behind each; empty where there are none.</returns>
    public static string Tools(IReadOnlyList<AITool> tools)
    {
        var text = new StringBuilder();
        foreach (var tool in tools)
        {
            text.Append(tool.Name).Append('(');
            if (tool is AIFunctionDeclaration declaration) text.Append(Members(declaration.JsonSchema, 0));
            text.Append(')');
            var description = string.Join(' ', tool.Description.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            if (description.Length > 0) text.Append(' ').Append(description);
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>A call: <c>&lt;tool_call&gt;\n{"name": "play", "arguments": {"song": "Blue"}}\n&lt;/tool_call&gt;</c>.</summary>
    /// <param name="name">The function's name.</param>
    /// <param name="arguments">Its arguments; null: none. Values are JSON's or plain ones of .NET.</param>
    public static string Call(string name, IEnumerable<KeyValuePair<string, object?>>? arguments = null)
    {
        var text = new StringBuilder(Begin).Append("\n{\"name\": ");
        Append(text, name);
        text.Append(", \"arguments\": {");
        var first = true;
        foreach (var (argument, value) in arguments ?? [])
        {
            if (!first) text.Append(", ");
            first = false;
            Append(text, argument);
            text.Append(": ");
            Append(text, Element(value));
        }
        return text.Append("}}\n").Append(End).ToString();
    }

    /// <summary>What a function gave back: <c>&lt;tool_response&gt;\n...\n&lt;/tool_response&gt;</c>.</summary>
    /// <param name="result">A text, JSON or a plain value; null: nothing.</param>
    public static string Result(object? result) => $"<tool_response>\n{Plain(result)}\n</tool_response>";

    /// <summary>A text that others wrote, in the marks that an agent puts around it; one that has marks itself closes none.</summary>
    /// <param name="text">The text.</param>
    public static string Untrusted(string text) =>
        $"<untrusted>{text.Replace("<untrusted", "<\u200Buntrusted", StringComparison.OrdinalIgnoreCase).Replace("</untrusted", "<\u200B/untrusted", StringComparison.OrdinalIgnoreCase)}</untrusted>";

    private static string Plain(object? result) => result switch
    {
        null => "",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
        _ => Append(new StringBuilder(), Element(result)).ToString(),
    };

    private static JsonElement Element(object? value) => value switch
    {
        JsonElement element => element,
        JsonNode node => JsonElement.Parse(node.ToJsonString()),
        bool or string or int or long or double or float or decimal or null => JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions),
        IFormattable other => JsonSerializer.SerializeToElement(other.ToString(null, CultureInfo.InvariantCulture), AIJsonUtilities.DefaultOptions),
        _ => JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions),
    };

    // With blanks behind commas and colons, as the models were taught.
    private static StringBuilder Append(StringBuilder text, JsonElement value)
    {
        var first = true;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var member in value.EnumerateObject())
                {
                    Append(Separated(text, ref first), member.Name).Append(": ");
                    Append(text, member.Value);
                }
                return text.Append('}');
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var item in value.EnumerateArray()) Append(Separated(text, ref first), item);
                return text.Append(']');
            case JsonValueKind.String:
                return Append(text, value.GetString()!);
            default:
                return text.Append(value.ValueKind == JsonValueKind.Undefined ? "null" : value.GetRawText());
        }
    }

    private static StringBuilder Separated(StringBuilder text, ref bool first)
    {
        if (!first) text.Append(", ");
        first = false;
        return text;
    }

    private static StringBuilder Append(StringBuilder text, string value) => text.Append('"').Append(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)).Append('"');

    private static string Members(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object) return "";
        var required = schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!).ToHashSet(StringComparer.Ordinal) : [];
        return string.Join(", ", properties.EnumerateObject().Select(member => $"{member.Name}{(required.Contains(member.Name) ? "" : "?")}{(Type(member.Value, depth + 1) is not "string" and var type ? $": {type}" : "")}"));
    }

    private static string Type(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MostNesting) return "any";
        if (schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array) return string.Join('|', values.EnumerateArray().Select(Plain));
        if (schema.TryGetProperty("const", out var only)) return Plain(only);
        if (!schema.TryGetProperty("type", out var type)) return "any";
        return type.ValueKind switch
        {
            JsonValueKind.String => Type(type.GetString()!, schema, depth),
            JsonValueKind.Array => string.Join('|', type.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => Type(name.GetString()!, schema, depth))),
            _ => "any",
        };
    }

    private static string Type(string type, JsonElement schema, int depth) => type switch
    {
        "array" => (schema.TryGetProperty("items", out var items) ? Type(items, depth + 1) : "any") + "[]",
        "object" => $"{{{Members(schema, depth)}}}",
        _ => type,
    };

    private static string Plain(JsonElement value) => Plain((object?)value);
}
