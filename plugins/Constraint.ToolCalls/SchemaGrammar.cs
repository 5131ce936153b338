using System.Text.Encodings.Web;
using System.Text.Json;
using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>Compiles a function's JSON Schema to places. What is not understood is refused by name and place.</summary>
/// <param name="tool">The function's name, for messages.</param>
/// <param name="spelling">Makes the places.</param>
/// <param name="most">Objects and arrays within each other.</param>
internal sealed class SchemaGrammar(string tool, Spelling spelling, int most)
{
    // They say something to people, or nothing that could be broken.
    private static readonly string[] Notes = ["title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly", "format"];

    private static readonly Dictionary<string, string[]> Keywords = new()
    {
        ["object"] = ["properties", "required", "additionalProperties"],
        ["array"] = ["items", "minItems", "maxItems"],
        ["string"] = ["minLength", "maxLength"],
        ["integer"] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
        ["number"] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
        ["boolean"] = [],
        ["null"] = [],
    };

    /// <summary>A text as JSON writes it.</summary>
    public static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    /// <summary>The object of arguments.</summary>
    /// <param name="schema">Its schema.</param>
    /// <param name="next">What comes behind it.</param>
    /// <exception cref="UserErrorException">The schema says what is not understood, or what nothing could fulfil.</exception>
    public Place Arguments(JsonElement schema, Place next)
    {
        if (schema.ValueKind != JsonValueKind.Object) throw Wrong("parameters", "is no object; write {\"type\": \"object\", \"properties\": {...}}");
        if (!schema.EnumerateObject().Any()) return spelling.Text("{}", next); // a function without arguments
        if (!schema.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || type.GetString() != "object") throw Wrong("parameters", "has no 'type': \"object\", which arguments are");
        return Value(schema, "parameters", next, new Depth(0, 0));
    }

    private Place Value(JsonElement schema, string path, Place next, Depth depth)
    {
        if (schema.ValueKind != JsonValueKind.Object) throw Wrong(path, "is no schema that answers can be held to; give it a 'type'");
        if (schema.TryGetProperty("const", out var only)) return Values(schema, "const", [only], path, next);
        if (schema.TryGetProperty("enum", out var some)) return some.ValueKind == JsonValueKind.Array ? Values(schema, "enum", [.. some.EnumerateArray()], path, next) : throw Wrong(path, "has an 'enum' that is no list");
        var types = Types(schema, path);
        if (types.Length == 0)
        {
            Understood(schema, [], path);
            throw Wrong(path, $"has no 'type'; give it one of {string.Join(", ", Keywords.Keys)}");
        }
        Understood(schema, [.. types.SelectMany(type => Keywords[type]), "type"], path);
        if (types.Contains("number")) types = [.. types.Where(type => type != "integer")]; // each is a number
        var places = types.Select(type => Value(type, schema, path, next, depth)).ToArray();
        return places.Length == 1 ? places[0] : spelling.Counted(new OneOf(places));
    }

    private Place Value(string type, JsonElement schema, string path, Place next, Depth depth) => type switch
    {
        "object" => Object(schema, path, next, Deeper(depth, path)),
        "array" => Array(schema, path, next, Deeper(depth, path)),
        "string" => Text(schema, path, next),
        "boolean" => spelling.Any([("true", next), ("false", next)]),
        "null" => spelling.Text("null", next),
        _ => Number(schema, type == "number", path, next),
    };

    private Place Object(JsonElement schema, string path, Place next, Depth depth)
    {
        if (schema.TryGetProperty("additionalProperties", out var more) && more.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw Wrong(path, "has 'additionalProperties' with a schema, which is not understood; name the properties");
        var properties = !schema.TryGetProperty("properties", out var given) ? [] : given.ValueKind == JsonValueKind.Object ? given.EnumerateObject().ToArray() : throw Wrong(path, "has 'properties' that are no object");
        var required = Required(schema, [.. properties.Select(property => property.Name)], path);
        var last = System.Array.FindLastIndex(properties, property => required.Contains(property.Name));
        // From the last, since what is behind a member is what may follow it.
        var members = new (string Text, Place Next)[properties.Length];
        for (var i = properties.Length - 1; i >= 0; i--)
        {
            var behind = Follow(i, ", ");
            members[i] = ($"{Quoted(properties[i].Name)}: ", Value(properties[i].Value, $"{path}.properties.{properties[i].Name}", behind, depth));
        }
        return spelling.Text("{", Follow(-1, ""));

        // Those that may follow a member: up to the first that must come, and the end where none must.
        Place Follow(int member, string comma)
        {
            var texts = new List<(string, Place)>();
            if (member >= last) texts.Add(("}", next));
            for (var i = member + 1; i < properties.Length; i++)
            {
                texts.Add((comma + members[i].Text, members[i].Next));
                if (required.Contains(properties[i].Name)) break;
            }
            return spelling.Any(texts);
        }
    }

    private HashSet<string> Required(JsonElement schema, HashSet<string> known, string path)
    {
        if (!schema.TryGetProperty("required", out var names)) return [];
        if (names.ValueKind != JsonValueKind.Array || names.EnumerateArray().Any(name => name.ValueKind != JsonValueKind.String)) throw Wrong(path, "has 'required' that is no list of names");
        var required = names.EnumerateArray().Select(name => name.GetString()!).ToHashSet(StringComparer.Ordinal);
        return required.FirstOrDefault(name => !known.Contains(name)) is { } missing ? throw Wrong(path, $"requires '{missing}', which is not among its 'properties'") : required;
    }

    private Place Array(JsonElement schema, string path, Place next, Depth depth)
    {
        if (!schema.TryGetProperty("items", out var items)) throw Wrong(path, "has no 'items'; say of what the array is");
        var (least, longest) = (Count(schema, "minItems", path) ?? 0, Count(schema, "maxItems", path) ?? long.MaxValue);
        if (least > longest) throw Wrong(path, $"has 'minItems' {least} above 'maxItems' {longest}, which no array fulfils");
        var after = spelling.Counted(new AfterItem(depth.Arrays, least, longest, next));
        var item = Value(items, path + ".items", after, depth with { Arrays = depth.Arrays + 1 });
        after.Another = spelling.Text(" ", item);
        return spelling.Text("[", spelling.Counted(new FirstItem(depth.Arrays, least, longest, item, next)));
    }

    private Place Text(JsonElement schema, string path, Place next)
    {
        var (least, longest) = (Count(schema, "minLength", path) ?? 0, Count(schema, "maxLength", path) ?? long.MaxValue);
        return least > longest ? throw Wrong(path, $"has 'minLength' {least} above 'maxLength' {longest}, which no text fulfils") : spelling.Text("\"", spelling.Counted(new StringPlace(least, longest, next)));
    }

    private Place Number(JsonElement schema, bool fractions, string path, Place next)
    {
        var least = Math.Max(Math.Ceiling(Bound(schema, "minimum", path) ?? -NumberPlace.Furthest), Math.Floor(Bound(schema, "exclusiveMinimum", path) ?? -NumberPlace.Furthest - 1) + 1);
        var longest = Math.Min(Math.Floor(Bound(schema, "maximum", path) ?? NumberPlace.Furthest), Math.Ceiling(Bound(schema, "exclusiveMaximum", path) ?? NumberPlace.Furthest + 1) - 1);
        (least, longest) = (Math.Max(least, -NumberPlace.Furthest), Math.Min(longest, NumberPlace.Furthest));
        if (least > longest) throw Wrong(path, "has bounds between which there is no whole number of 15 digits; widen 'minimum' and 'maximum'");
        return spelling.Counted(new NumberPlace((long)least, (long)longest, fractions, next));
    }

    private Place Values(JsonElement schema, string keyword, IReadOnlyList<JsonElement> values, string path, Place next)
    {
        Understood(schema, [keyword, "type"], path);
        var types = Types(schema, path);
        var fitting = values.Where(value => types.Length == 0 || types.Any(type => Fits(value, type))).ToList();
        if (fitting.Count == 0) throw Wrong(path, $"has '{keyword}' without a value of its type, which nothing fulfils");
        return spelling.Any([.. fitting.Select(value => (Written(value), next))]);
    }

    private static bool Fits(JsonElement value, string type) => value.ValueKind switch
    {
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Null => type == "null",
        _ => type == "number" || (type == "integer" && value.GetDouble() is var number && Math.Floor(number) == number),
    };

    private static string Written(JsonElement value) => value.ValueKind == JsonValueKind.String ? Quoted(value.GetString()!) : value.GetRawText().ReplaceLineEndings(" ");

    private string[] Types(JsonElement schema, string path)
    {
        if (!schema.TryGetProperty("type", out var type)) return [];
        var names = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type];
        if (names.Length == 0) throw Wrong(path, "has an empty 'type'");
        foreach (var name in names)
            if (name.ValueKind != JsonValueKind.String || !Keywords.ContainsKey(name.GetString()!)) throw Wrong(path, $"has the type {name.GetRawText()}; types are {string.Join(", ", Keywords.Keys)}");
        return [.. names.Select(name => name.GetString()!).Distinct()];
    }

    private void Understood(JsonElement schema, IReadOnlyList<string> keywords, string path)
    {
        foreach (var member in schema.EnumerateObject())
            if (!keywords.Contains(member.Name) && !Notes.Contains(member.Name)) throw Wrong(path, $"has '{member.Name}', which answers cannot be held to here; leave it out, or offer no functions");
    }

    private long? Count(JsonElement schema, string keyword, string path) => !schema.TryGetProperty(keyword, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= 0 ? count : throw Wrong(path, $"has '{keyword}' {value.GetRawText()}, which is no count");

    private double? Bound(JsonElement schema, string keyword, string path) => !schema.TryGetProperty(keyword, out var value) ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(path, $"has '{keyword}' {value.GetRawText()}, which is no number");

    private Depth Deeper(Depth depth, string path) => depth.All < most ? depth with { All = depth.All + 1 } : throw Wrong(path, $"lies deeper than {most} objects and arrays");

    private UserErrorException Wrong(string path, string what) => new($"function '{tool}': '{path}' {what}");

    private readonly record struct Depth(int All, int Arrays);
}
