using System.Text;
using System.Text.Json;

namespace PluginHost.Config.Json;

/// <summary>Reads JSON into a tree that keeps line and column: what people write (comments and trailing commas allowed), or what programs send.</summary>
public static class JsonTreeReader
{
    /// <summary>Deepest nesting that is read; deeper text is refused, so that recursion over a tree is bounded.</summary>
    public const int MaxDepth = 64;

    /// <summary>Reads a tree.</summary>
    /// <param name="utf8">The text; a byte order mark is skipped.</param>
    /// <param name="file">File name for messages.</param>
    /// <param name="strict">Whether it is to be JSON to the letter (RFC 8259), without NUL in its texts.</param>
    /// <exception cref="ConfigException">The text is not JSON, or an object names a property twice.</exception>
    public static JsonElementNode Read(ReadOnlySpan<byte> utf8, string file, bool strict = false)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble)) utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        var reading = new Reading(utf8, line => new JsonLocation(file, line.Line, line.Column, line.Path), strict);
        var root = reading.Run();
        return reading.Errors.Count == 0 ? root : throw new ConfigException(reading.Errors);
    }

    /// <summary>Reads a value given on the command line; every node gets the same location.</summary>
    /// <returns>Null when the text is not JSON.</returns>
    public static JsonElementNode? TryReadValue(string text, JsonLocation location)
    {
        try
        {
            var reading = new Reading(Encoding.UTF8.GetBytes(text), _ => location);
            var root = reading.Run();
            return reading.Errors.Count == 0 ? root : null;
        }
        catch (ConfigException)
        {
            return null;
        }
    }

    /// <summary>The JSON path of a property below another path.</summary>
    public static string PathOf(string parent, string name) =>
        name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '$') ? $"{parent}.{name}" : $"{parent}['{name}']";

    private ref struct Reading(ReadOnlySpan<byte> utf8, Func<(int Line, int Column, string Path), JsonLocation> locate, bool strict = false)
    {
        private readonly bool strict = strict;
        private readonly ReadOnlySpan<byte> utf8 = utf8;
        private readonly int[] lineStarts = LineStarts(utf8);
        private Utf8JsonReader reader = new(utf8, new JsonReaderOptions { CommentHandling = strict ? JsonCommentHandling.Disallow : JsonCommentHandling.Skip, AllowTrailingCommas = !strict, MaxDepth = MaxDepth });

        public List<ConfigError> Errors { get; } = [];

        public JsonElementNode Run()
        {
            try
            {
                reader.Read();
                var root = Value("$");
                if (reader.Read()) Errors.Add(new ConfigError(Here("$"), "more text follows the end of the document"));
                return root;
            }
            catch (JsonException error)
            {
                var line = (int)(error.LineNumber ?? 0);
                var start = Math.Min(line < lineStarts.Length ? lineStarts[line] : utf8.Length, utf8.Length);
                var offset = Math.Min(start + (int)(error.BytePositionInLine ?? 0), utf8.Length);
                throw new ConfigException([new ConfigError(At(offset, "$"), $"not valid JSON: {Sentence(error.Message)}")]);
            }
            catch (InvalidOperationException)
            {
                // What Utf8JsonReader.GetString throws for broken UTF-8 and for lone surrogates.
                throw new ConfigException([new ConfigError(Here("$"), "not valid JSON: the text is not valid UTF-8")]);
            }
        }

        private JsonElementNode Value(string path)
        {
            var location = Here(path);
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject: return ObjectValue(path, location);
                case JsonTokenType.StartArray: return ArrayValue(path, location);
                case JsonTokenType.String: return StringValue(location);
                case JsonTokenType.Number: return JsonElementNode.Number(location, Encoding.UTF8.GetString(reader.ValueSpan));
                case JsonTokenType.True: return JsonElementNode.Boolean(location, true);
                case JsonTokenType.False: return JsonElementNode.Boolean(location, false);
                default: return JsonElementNode.Null(location);
            }
        }

        private readonly JsonElementNode StringValue(JsonLocation location)
        {
            var text = reader.GetString()!;
            if (strict && text.Contains('\0', StringComparison.Ordinal)) Errors.Add(new ConfigError(location, "the text holds a NUL character; leave it out"));
            return JsonElementNode.String(location, text);
        }

        private JsonElementNode ObjectValue(string path, JsonLocation location)
        {
            var members = new List<JsonMember>();
            var names = new HashSet<string>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                var name = reader.GetString()!;
                var at = Here(PathOf(path, name));
                reader.Read();
                var value = Value(PathOf(path, name));
                if (names.Add(name)) members.Add(new JsonMember(name, at, value));
                else Errors.Add(new ConfigError(at, $"'{name}' is given twice; the first is at line {members.First(m => m.Name == name).NameLocation.Line}"));
            }
            return JsonElementNode.Object(location, members);
        }

        private JsonElementNode ArrayValue(string path, JsonLocation location)
        {
            var items = new List<JsonElementNode>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(Value($"{path}[{items.Count}]"));
            return JsonElementNode.Array(location, items);
        }

        private readonly JsonLocation Here(string path) => At((int)reader.TokenStartIndex, path);

        private readonly JsonLocation At(int offset, string path)
        {
            var line = Array.BinarySearch(lineStarts, offset);
            if (line < 0) line = ~line - 1;
            var column = Encoding.UTF8.GetCharCount(utf8[lineStarts[line]..offset]) + 1;
            return locate((line + 1, column, path));
        }

        private static int[] LineStarts(ReadOnlySpan<byte> utf8)
        {
            var starts = new List<int> { 0 };
            for (var i = 0; i < utf8.Length; i++)
                if (utf8[i] == '\n') starts.Add(i + 1);
            return [.. starts];
        }

        // The reader's messages end in their own position: ours stands in front.
        private static string Sentence(string message)
        {
            var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            return (end < 0 ? message : message[..end]).TrimEnd('.');
        }
    }
}
