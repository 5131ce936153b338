using System.Text;
using System.Text.Json;

namespace PluginHost.Config.Json;

/// <summary>One reading of a text into a tree, in time that grows with the text alone: the place of a value is found by going on from the one before.</summary>
/// <param name="utf8">The text.</param>
/// <param name="top">The place of the whole.</param>
/// <param name="located">Whether values have places of their own; otherwise all are at the top.</param>
/// <param name="strict">Whether it is to be JSON to the letter.</param>
internal ref struct JsonTreeReading(ReadOnlySpan<byte> utf8, JsonLocation top, bool located, bool strict)
{
    private const int MostErrors = 100;

    private readonly JsonLocation top = top;
    private readonly bool located = located;
    private readonly bool strict = strict;
    private readonly ReadOnlySpan<byte> utf8 = utf8;
    private Utf8JsonReader reader = new(utf8, new JsonReaderOptions { CommentHandling = strict ? JsonCommentHandling.Disallow : JsonCommentHandling.Skip, AllowTrailingCommas = !strict, MaxDepth = JsonTreeReader.MaxDepth });
    private (int Offset, int Line, int Column) cursor = (0, 1, 1);
    private int values;

    public List<ConfigError> Errors { get; } = [];

    public JsonElementNode Run()
    {
        try
        {
            reader.Read();
            var root = Value(AtTop(Offset));
            if (reader.Read()) Errors.Add(new ConfigError(AtTop(Offset), "more text follows the end of the document"));
            return root;
        }
        catch (JsonException error)
        {
            var offset = Math.Min(StartOf((int)(error.LineNumber ?? 0)) + (int)(error.BytePositionInLine ?? 0), utf8.Length);
            throw new ConfigException([new ConfigError(AtTop(offset), $"not valid JSON: {Sentence(error.Message)}")]);
        }
        catch (InvalidOperationException)
        {
            // What Utf8JsonReader.GetString throws for broken UTF-8 and for lone surrogates.
            throw new ConfigException([new ConfigError(AtTop(Offset), "not valid JSON: the text is not valid UTF-8")]);
        }
    }

    private readonly int Offset => (int)reader.TokenStartIndex;

    private JsonElementNode Value(JsonLocation location)
    {
        if (strict && ++values > JsonTreeReader.MostValues) throw new ConfigException([new ConfigError(location, $"there are more than {JsonTreeReader.MostValues} values, which are the most that are read")]);
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => ObjectValue(location),
            JsonTokenType.StartArray => ArrayValue(location),
            JsonTokenType.String => StringValue(location),
            JsonTokenType.Number => JsonElementNode.Number(location, Encoding.UTF8.GetString(reader.ValueSpan)),
            JsonTokenType.True => JsonElementNode.Boolean(location, true),
            JsonTokenType.False => JsonElementNode.Boolean(location, false),
            _ => JsonElementNode.Null(location),
        };
    }

    private readonly JsonElementNode StringValue(JsonLocation location)
    {
        var text = reader.GetString()!;
        if (strict && text.Contains('\0', StringComparison.Ordinal)) Mistake(location, "the text holds a NUL character; leave it out");
        return JsonElementNode.String(location, text);
    }

    private JsonElementNode ObjectValue(JsonLocation location)
    {
        var members = new List<JsonMember>();
        var lines = new Dictionary<string, int>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var at = Move(Offset) ? location.Property(name, cursor.Line, cursor.Column) : top;
            reader.Read();
            var value = Value(Move(Offset) ? location.Property(name, cursor.Line, cursor.Column) : top);
            if (lines.TryAdd(name, at.Line)) members.Add(new JsonMember(name, at, value));
            else Mistake(at, $"'{name}' is given twice; the first is at line {lines[name]}");
        }
        return JsonElementNode.Object(location, members);
    }

    private JsonElementNode ArrayValue(JsonLocation location)
    {
        var items = new List<JsonElementNode>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(Value(Move(Offset) ? location.Item(items.Count, cursor.Line, cursor.Column) : top));
        return JsonElementNode.Array(location, items);
    }

    private readonly void Mistake(JsonLocation location, string message)
    {
        if (Errors.Count < MostErrors) Errors.Add(new ConfigError(location, message));
    }

    private JsonLocation AtTop(int offset) => Move(offset) ? new JsonLocation(top.File, cursor.Line, cursor.Column, "$") : top;

    // Goes on to a place; false: places do not matter.
    private bool Move(int offset)
    {
        if (!located) return false;
        if (offset < cursor.Offset) cursor = (0, 1, 1);
        var passed = utf8[cursor.Offset..offset];
        var last = passed.LastIndexOf((byte)'\n');
        cursor = last < 0
            ? (offset, cursor.Line, cursor.Column + Encoding.UTF8.GetCharCount(passed))
            : (offset, cursor.Line + passed.Count((byte)'\n'), 1 + Encoding.UTF8.GetCharCount(passed[(last + 1)..]));
        return true;
    }

    private readonly int StartOf(int line)
    {
        var start = 0;
        for (; line > 0 && utf8[start..].IndexOf((byte)'\n') is var end and >= 0; line--) start += end + 1;
        return start;
    }

    // The reader's messages end in their own position: ours stands in front.
    private static string Sentence(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }
}
