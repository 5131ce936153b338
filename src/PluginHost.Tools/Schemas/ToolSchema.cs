using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginHost.Tools.Schemas;

/// <summary>A tool's parameters: a JSON Schema that arguments are checked against, and whose defaults are filled in. Immutable.</summary>
public sealed class ToolSchema
{
    /// <summary>Most bytes of a schema, as it was written.</summary>
    public const int MostBytes = 64 << 10;

    private const int MostDepth = 32;

    private readonly SchemaNode root;

    private ToolSchema(JsonElement json, SchemaNode root) => (Json, this.root) = (json, root);

    /// <summary>The schema.</summary>
    public JsonElement Json { get; }

    /// <summary>Reads a schema.</summary>
    /// <exception cref="UserErrorException">It is too large, damaged, impossible to satisfy, or asks for something that cannot be checked; the message names the place.</exception>
    public static ToolSchema Read(JsonElement schema)
    {
        if (Encoding.UTF8.GetByteCount(schema.GetRawText()) is var bytes and > MostBytes)
            throw new UserErrorException($"the parameters have {bytes >> 10} kB of schema; {MostBytes >> 10} kB are the most");
        if (Depth(schema, 0) > MostDepth) throw new UserErrorException($"the parameters are nested more than {MostDepth} deep");
        var node = SchemaReader.Read(schema);
        return node.Types.HasFlag(SchemaTypes.Object) && schema.ValueKind == JsonValueKind.Object
            ? new ToolSchema(schema.Clone(), node)
            : throw new UserErrorException("parameters are a schema of type 'object': the arguments of a call are one");
    }

    /// <summary>
    /// Reads parameters as people write them: a JSON Schema of type <c>object</c>, or in short just the parameters by their names, <c>{"query": {"type": "string"}}</c>, each with its schema. In the short form no
    /// other arguments are allowed.
    /// </summary>
    /// <param name="parameters">One of the two; null: no parameters.</param>
    /// <param name="required">Names that have to be given, beside those that the schema itself requires.</param>
    /// <exception cref="UserErrorException">As for <see cref="Read(JsonElement)"/>.</exception>
    public static ToolSchema Read(JsonElement? parameters, IReadOnlyList<string> required)
    {
        var given = parameters ?? Element(new JsonObject());
        if (given.ValueKind != JsonValueKind.Object) throw new UserErrorException("parameters are an object: a JSON Schema, or the parameters by their names");
        if (Depth(given, 0) > MostDepth) throw new UserErrorException($"the parameters are nested more than {MostDepth} deep");
        var schema = JsonObject.Create(given)!;
        var full = given.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String or JsonValueKind.Array || given.EnumerateObject().Any(member => member.Name.StartsWith('$'));
        if (!full)
        {
            foreach (var member in given.EnumerateObject())
                if (member.Value.ValueKind != JsonValueKind.Object) throw new UserErrorException($"parameters.{member.Name} is a schema, such as {{\"type\":\"string\"}}; a whole JSON Schema needs \"type\": \"object\"");
            schema = new JsonObject { ["type"] = "object", ["properties"] = schema, ["additionalProperties"] = false };
        }
        if (required.Count > 0)
        {
            var names = new HashSet<string>(required);
            if (schema["required"] is JsonArray also) names.UnionWith(also.Select(name => name?.ToString() ?? ""));
            schema["required"] = new JsonArray([.. names.Select(name => (JsonNode)JsonValue.Create(name))]);
        }
        if (schema["properties"] is JsonObject properties && schema["additionalProperties"] is JsonValue closed && closed.TryGetValue<bool>(out var others) && !others)
            foreach (var name in required)
                if (!properties.ContainsKey(name)) throw new UserErrorException($"'required' names '{name}', which is no parameter{Config.NearestName.Suggestion(name, properties.Select(member => member.Key))}");
        return Read(Element(schema));
    }

    /// <summary>Checks the arguments of a call, and fills in the defaults of those that are not given.</summary>
    /// <exception cref="UserErrorException">All that is wrong with them.</exception>
    public JsonElement Complete(JsonElement arguments)
    {
        if (Depth(arguments, 0) > MostDepth) throw new UserErrorException($"the arguments are nested more than {MostDepth} deep");
        var whole = arguments.ValueKind == JsonValueKind.Object ? Filled(arguments) : arguments;
        var problems = SchemaValidation.Problems(root, whole);
        return problems.Count == 0 ? whole : throw new UserErrorException(string.Join("; ", problems));
    }

    private JsonElement Filled(JsonElement arguments)
    {
        var filled = JsonObject.Create(arguments)!;
        Fill(root, filled);
        return Element(filled);
    }

    // Defaults are those of the properties of an object, within the schema and what it refers to; which branch of an 'anyOf' a value takes is not guessed.
    private static void Fill(SchemaNode schema, JsonNode? value)
    {
        foreach (var other in schema.All) Fill(other, value);
        if (value is JsonArray items && schema.Items is { } item)
            foreach (var inner in items) Fill(item, inner);
        if (value is not JsonObject members) return;
        foreach (var (name, property) in schema.Properties)
        {
            if (!members.ContainsKey(name) && Default(property) is { } standard) members[name] = Node(standard);
            if (members.TryGetPropertyValue(name, out var inner)) Fill(property, inner);
        }
    }

    private static JsonElement? Default(SchemaNode schema) => schema.Default ?? schema.All.Select(Default).FirstOrDefault(standard => standard is not null);

    private static JsonNode? Node(JsonElement value) => JsonNode.Parse(value.GetRawText());

    private static JsonElement Element(JsonNode node)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) node.WriteTo(writer);
        using var json = JsonDocument.Parse(stream.GetBuffer().AsMemory(0, (int)stream.Length));
        return json.RootElement.Clone();
    }

    // Of two members of one name a reader takes the first and another the last: what was checked would not be what is called.
    private static int Depth(JsonElement value, int above)
    {
        if (above > MostDepth) return above;
        var names = new HashSet<string>();
        if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().FirstOrDefault(member => !names.Add(member.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } twice)
            throw new UserErrorException($"'{twice.Name}' is given twice; give it once");
        return value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().Select(member => Depth(member.Value, above + 1)).DefaultIfEmpty(above + 1).Max(),
            JsonValueKind.Array => value.EnumerateArray().Select(item => Depth(item, above + 1)).DefaultIfEmpty(above + 1).Max(),
            _ => above,
        };
    }
}
