using System.Text;

namespace PluginHost.Config.Json;

/// <summary>Reads JSON into a tree that keeps line and column: what people write (comments and trailing commas allowed), or what programs send.</summary>
public static class JsonTreeReader
{
    /// <summary>Deepest nesting that is read; deeper text is refused, so that recursion over a tree is bounded.</summary>
    public const int MaxDepth = 64;

    /// <summary>Most values of what programs send: a value takes some 150 bytes while it is read, and what is sent may be two bytes.</summary>
    public const int MostValues = 1_000_000;

    /// <summary>Reads a tree.</summary>
    /// <param name="utf8">The text; a byte order mark is skipped.</param>
    /// <param name="file">File name for messages.</param>
    /// <param name="strict">Whether it is to be JSON to the letter (RFC 8259), without NUL in its texts, and of <see cref="MostValues"/> at most.</param>
    /// <exception cref="ConfigException">The text is not JSON, or an object names a property twice.</exception>
    public static JsonElementNode Read(ReadOnlySpan<byte> utf8, string file, bool strict = false)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble)) utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        var reading = new JsonTreeReading(utf8, new JsonLocation(file, 1, 1, "$"), located: true, strict);
        var root = reading.Run();
        return reading.Errors.Count == 0 ? root : throw new ConfigException(reading.Errors);
    }

    /// <summary>Reads a value given on the command line; every node gets the same location.</summary>
    /// <returns>Null when the text is not JSON.</returns>
    public static JsonElementNode? TryReadValue(string text, JsonLocation location)
    {
        try
        {
            var reading = new JsonTreeReading(Encoding.UTF8.GetBytes(text), location, located: false, strict: false);
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
}
