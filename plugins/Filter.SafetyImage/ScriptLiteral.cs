using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Filter.SafetyImage;

/// <summary>
/// Reads a value that is written in JavaScript as minifiers write it: JSON, but keys without quotation marks, <c>!0</c> for true, <c>.5</c>
/// for 0.5. Anything that would have to be run is refused.
/// </summary>
internal sealed class ScriptLiteral
{
    private const int Deepest = 64;
    private readonly string text;
    private int at;

    private ScriptLiteral(string text, int at) => (this.text, this.at) = (text, at);

    /// <summary>The value after the first occurrence of a mark.</summary>
    /// <exception cref="FormatException">There is none, or it is no plain value.</exception>
    public static JsonObject Read(string text, string mark)
    {
        var at = text.IndexOf(mark + '{', StringComparison.Ordinal);
        if (at < 0) throw new FormatException($"there is no '{mark}' with an object");
        return (JsonObject)new ScriptLiteral(text, at + mark.Length).Value(0)!;
    }

    private JsonNode? Value(int depth)
    {
        if (depth > Deepest) throw Bad("it is nested too deeply");
        switch (Next())
        {
            case '{': return Object(depth);
            case '[': return Array(depth);
            case '"': return JsonValue.Create(Quoted());
            case '!':
                at++;
                return JsonValue.Create(Number() == 0);
            case 'n' when text.AsSpan(at).StartsWith("null"):
                at += 4;
                return null;
            default: return JsonValue.Create(Number());
        }
    }

    private JsonObject Object(int depth)
    {
        var read = new JsonObject();
        for (at++; Next() != '}'; Separate('}'))
        {
            var key = Next() == '"' ? Quoted() : Name();
            if (Next() != ':') throw Bad("':' is expected");
            at++;
            if (!read.TryAdd(key, Value(depth + 1))) throw Bad($"'{key}' is there twice");
        }
        at++;
        return read;
    }

    private JsonArray Array(int depth)
    {
        var read = new JsonArray();
        for (at++; Next() != ']'; Separate(']')) read.Add(Value(depth + 1));
        at++;
        return read;
    }

    private void Separate(char end)
    {
        if (Next() == ',') at++;
        else if (Next() != end) throw Bad($"',' or '{end}' is expected");
    }

    private string Quoted()
    {
        var read = new StringBuilder();
        for (at++; Here() != '"'; at++)
        {
            // Names and paths need no escapes.
            if (Here() is '\\' or < ' ') throw Bad("an escape is not read here");
            read.Append(Here());
        }
        at++;
        return read.ToString();
    }

    private string Name()
    {
        var from = at;
        while (char.IsAsciiLetterOrDigit(Here()) || Here() is '_' or '$') at++;
        return at > from ? text[from..at] : throw Bad("a name is expected");
    }

    private double Number()
    {
        var from = at;
        while (char.IsAsciiDigit(Here()) || Here() is '-' or '+' or '.' or 'e' or 'E') at++;
        return double.TryParse(text.AsSpan(from, at - from), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : throw Bad("a value is expected");
    }

    private char Next()
    {
        while (char.IsWhiteSpace(Here())) at++;
        return Here();
    }

    private char Here() => at < text.Length ? text[at] : throw Bad("it ends too soon");

    private FormatException Bad(string what) => new(string.Create(CultureInfo.InvariantCulture, $"at character {at}: {what}"));
}
