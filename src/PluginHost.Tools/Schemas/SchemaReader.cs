using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace PluginHost.Tools.Schemas;

/// <summary>
/// Reads a JSON Schema. What it does not know is an annotation, as the specification has it; what it knows and cannot keep (a reference to elsewhere, a pattern that takes more than linear time) is refused.
/// </summary>
internal sealed class SchemaReader
{
    private const int MostNodes = 4000;
    private const int MostPattern = 1000; // characters
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly JsonElement root;
    private readonly Dictionary<string, SchemaNode> referenced = [];
    private int nodes;

    private SchemaReader(JsonElement root) => this.root = root;

    /// <exception cref="UserErrorException">It cannot be used; the message names the place.</exception>
    public static SchemaNode Read(JsonElement schema)
    {
        var reader = new SchemaReader(schema);
        var node = reader.Named("#", schema, "parameters");
        SchemaCheck.Run(node);
        return node;
    }

    // A reference may come while what it names is still being read: it gets the node that is being filled.
    private SchemaNode Named(string pointer, JsonElement schema, string place)
    {
        if (referenced.TryGetValue(pointer, out var known)) return known;
        var node = referenced[pointer] = new SchemaNode();
        Fill(node, schema, place);
        return node;
    }

    private SchemaNode Node(JsonElement schema, string place)
    {
        var node = new SchemaNode();
        Fill(node, schema, place);
        return node;
    }

    private void Fill(SchemaNode node, JsonElement schema, string place)
    {
        if (++nodes > MostNodes) throw new UserErrorException($"{place}: the schema has more than {MostNodes} parts; make it smaller");
        if (schema.ValueKind == JsonValueKind.True) return;
        if (schema.ValueKind == JsonValueKind.False)
        {
            node.Impossible = $"{place} is false";
            return;
        }
        if (schema.ValueKind != JsonValueKind.Object) throw Wrong(place, "is a schema: an object, true or false");
        foreach (var member in schema.EnumerateObject()) Keyword(node, member.Name, member.Value, $"{place}.{member.Name}");
        if (schema.TryGetProperty("nullable", out var nullable) && nullable.ValueKind == JsonValueKind.True) node.Types |= SchemaTypes.Null;
        SchemaCheck.Bounds(node, place);
    }

    private void Keyword(SchemaNode node, string name, JsonElement value, string place)
    {
        switch (name)
        {
            case "type": node.Types = Types(value, place); break;
            case "enum": node.Choices = [.. List(value, place).Select(item => item.Clone())]; break;
            case "const": node.Choices = [value.Clone()]; break;
            case "default": node.Default = value.Clone(); break;
            case "minimum": node.Minimum = Number(value, place); break;
            case "maximum": node.Maximum = Number(value, place); break;
            // In drafts up to 4, and in OpenAPI 3.0, true makes the other bound exclusive.
            case "exclusiveMinimum": node.AboveMinimum = value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : Number(value, place); break;
            case "exclusiveMaximum": node.BelowMaximum = value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : Number(value, place); break;
            case "multipleOf": node.MultipleOf = value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var unit) && unit > 0 ? unit : throw Wrong(place, "is a number above 0"); break;
            case "minLength": node.MinLength = Count(value, place); break;
            case "maxLength": node.MaxLength = Count(value, place); break;
            case "pattern": node.Pattern = Pattern(value, place); break;
            case "minItems": node.MinItems = Count(value, place); break;
            case "maxItems": node.MaxItems = Count(value, place); break;
            case "uniqueItems": node.UniqueItems = value.ValueKind == JsonValueKind.True; break;
            case "items" when value.ValueKind != JsonValueKind.Array: node.Items = Node(value, place); break;
            case "properties": Properties(node, value, place); break;
            case "required": node.Required = [.. List(value, place).Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(place, "is a list of names"))]; break;
            case "additionalProperties": node.Others = Node(value, place); break;
            case "$ref": node.All.Add(Reference(value, place)); break;
            case "allOf": node.All.AddRange(Nodes(value, place)); break;
            case "anyOf": node.Any = Nodes(value, place); break;
            case "oneOf": node.One = Nodes(value, place); break;
            case "not": node.Not = Node(value, place); break;
            case "$dynamicRef" or "$recursiveRef": throw Wrong(place, "is not known here; use $ref");
        }
    }

    private void Properties(SchemaNode node, JsonElement value, string place)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(place, "is an object of schemas");
        foreach (var member in value.EnumerateObject()) node.Properties[member.Name] = Node(member.Value, $"{place}.{member.Name}");
    }

    private IReadOnlyList<SchemaNode> Nodes(JsonElement value, string place)
    {
        var list = List(value, place);
        return list.Count > 0 ? [.. list.Select((item, i) => Node(item, $"{place}[{i}]"))] : throw Wrong(place, "needs at least one schema");
    }

    private SchemaNode Reference(JsonElement value, string place)
    {
        var pointer = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(place, "is a text");
        if (!pointer.StartsWith('#')) throw Wrong(place, $"names '{pointer}', which is elsewhere; bring what it names along under $defs");
        var target = root;
        foreach (var step in pointer.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (target.ValueKind == JsonValueKind.Object && target.TryGetProperty(name, out var inner)) target = inner;
            else if (target.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < target.GetArrayLength()) target = target[at];
            else throw Wrong(place, $"names '{pointer}', and there is nothing");
        }
        return Named(pointer == "" ? "#" : pointer, target, pointer);
    }

    private static Regex Pattern(JsonElement value, string place)
    {
        var pattern = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(place, "is a text");
        if (pattern.Length > MostPattern) throw Wrong(place, $"has {pattern.Length} characters; {MostPattern} are the most");
        try
        {
            // Without backtracking the time is linear in the text, whatever the pattern.
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Patience);
        }
        catch (NotSupportedException)
        {
            throw Wrong(place, $"'{Shortened(pattern)}' looks around or back, or is too large, and cannot be matched in linear time; write it without");
        }
        catch (ArgumentException)
        {
            throw Wrong(place, $"'{Shortened(pattern)}' is no regular expression");
        }
    }

    private static SchemaTypes Types(JsonElement value, string place)
    {
        if (value.ValueKind == JsonValueKind.Array) return value.EnumerateArray().Aggregate(SchemaTypes.None, (all, item) => all | Types(item, place));
        return (value.ValueKind == JsonValueKind.String ? value.GetString() : null) switch
        {
            "null" => SchemaTypes.Null,
            "boolean" => SchemaTypes.Boolean,
            "number" => SchemaTypes.Number | SchemaTypes.Integer,
            "integer" => SchemaTypes.Integer,
            "string" => SchemaTypes.String,
            "array" => SchemaTypes.Array,
            "object" => SchemaTypes.Object,
            _ => throw Wrong(place, "is string, number, integer, boolean, array, object or null, or a list of them"),
        };
    }

    private static IReadOnlyList<JsonElement> List(JsonElement value, string place) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : throw Wrong(place, "is a list");

    private static double Number(JsonElement value, string place) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw Wrong(place, "is a finite number");

    private static int Count(JsonElement value, string place) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= 0 && number <= int.MaxValue && Math.Floor(number) == number ? (int)number : throw Wrong(place, "is a whole number from 0");

    private static UserErrorException Wrong(string place, string rule) => new($"{Shortened(place)} {rule}");

    private static string Shortened(string text) => text.Length > 120 ? text[..120] + "…" : text;
}
