using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PluginHost.Config.Json;

/// <summary>What a JSON value is.</summary>
public enum JsonKind { Object, Array, String, Number, Boolean, Null }

/// <summary>A property of a JSON object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="NameLocation">Where the name stands.</param>
/// <param name="Value">Its value.</param>
public sealed record JsonMember(string Name, JsonLocation NameLocation, JsonElementNode Value);

/// <summary>A JSON value that knows where it was written. Immutable; a change makes a new tree.</summary>
public sealed class JsonElementNode
{
    private readonly string text;

    private JsonElementNode(JsonKind kind, JsonLocation location, string text = "", IReadOnlyList<JsonMember>? members = null, IReadOnlyList<JsonElementNode>? items = null)
    {
        Kind = kind;
        Location = location;
        this.text = text;
        Members = members ?? [];
        Items = items ?? [];
    }

    public JsonKind Kind { get; }

    public JsonLocation Location { get; }

    /// <summary>Properties of an object in file order; empty for everything else.</summary>
    public IReadOnlyList<JsonMember> Members { get; }

    /// <summary>Items of an array; empty for everything else.</summary>
    public IReadOnlyList<JsonElementNode> Items { get; }

    /// <summary>The content of a string; the text of a number; <c>true</c>, <c>false</c> or <c>null</c>.</summary>
    public string Text => text;

    public static JsonElementNode Object(JsonLocation location, IReadOnlyList<JsonMember> members) => new(JsonKind.Object, location, members: members);

    public static JsonElementNode Array(JsonLocation location, IReadOnlyList<JsonElementNode> items) => new(JsonKind.Array, location, items: items);

    public static JsonElementNode String(JsonLocation location, string value) => new(JsonKind.String, location, value);

    public static JsonElementNode Number(JsonLocation location, string value) => new(JsonKind.Number, location, value);

    public static JsonElementNode Boolean(JsonLocation location, bool value) => new(JsonKind.Boolean, location, value ? "true" : "false");

    public static JsonElementNode Null(JsonLocation location) => new(JsonKind.Null, location, "null");

    /// <summary>The value of a property, or null when the object has none of that name.</summary>
    public JsonElementNode? Find(string name)
    {
        foreach (var member in Members)
            if (member.Name == name) return member.Value;
        return null;
    }

    /// <summary>The value of an integer number; 3.0 and 3e0 count as integers.</summary>
    public bool TryGetInt64(out long value)
    {
        value = 0;
        if (Kind != JsonKind.Number) return false;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)) return true;
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return false;
        if (number != decimal.Truncate(number) || number < long.MinValue || number > long.MaxValue) return false;
        value = (long)number;
        return true;
    }

    /// <summary>The value of a finite number.</summary>
    public bool TryGetDouble(out double value)
    {
        value = 0;
        return Kind == JsonKind.Number && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    /// <summary>Canonical JSON: indented, in file order, without comments.</summary>
    public string ToJsonString()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            WriteTo(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Writes the value, for records that hold it as a part.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case JsonKind.Object:
                writer.WriteStartObject();
                foreach (var member in Members)
                {
                    writer.WritePropertyName(member.Name);
                    member.Value.WriteTo(writer);
                }
                writer.WriteEndObject();
                break;
            case JsonKind.Array:
                writer.WriteStartArray();
                foreach (var item in Items) item.WriteTo(writer);
                writer.WriteEndArray();
                break;
            case JsonKind.String:
                writer.WriteStringValue(text);
                break;
            default:
                writer.WriteRawValue(text);
                break;
        }
    }
}
