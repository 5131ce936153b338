using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PluginHost.Tools.Calls;

/// <summary>Results as text: the one form in which a model, a program and a person read them.</summary>
internal static class ToolText
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ToolFailedException">It is nothing that can be said in text.</exception>
    public static (string Text, bool Cut) Of(object? result, int most)
    {
        if (result is CutText already) return (Cut(Plain(already.Text), most).Item1, true);
        return Cut(Plain(Written(result)), most);
    }

    private static string Written(object? result) => result switch
    {
        null => "null",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
        JsonElement { ValueKind: JsonValueKind.Undefined } => "null",
        JsonElement element => element.GetRawText(),
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonNode node => Json(node),
        bool truth => truth ? "true" : "false",
        double number => double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : throw NoNumber(number),
        float number => float.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : throw NoNumber(number),
        int or long or short or byte or uint or ulong or decimal => ((IFormattable)result).ToString(null, CultureInfo.InvariantCulture),
        TextContent text => text.Text,
        DataContent data => $"[{data.MediaType}, {data.Data.Length} bytes]",
        IEnumerable<AIContent> contents => string.Join('\n', contents.Select(Written)),
        _ => throw new ToolFailedException($"the tool gave a {result.GetType().Name}; results are texts, numbers, truth values or JSON"),
    };

    private static string Json(JsonNode node)
    {
        try
        {
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream, Readable)) node.WriteTo(writer);
            return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new ToolFailedException("the tool gave something that is no JSON, such as NaN");
        }
    }

    private static string Plain(string text) => text.Contains('\0', StringComparison.Ordinal) ? throw new ToolFailedException("the tool gave binary data; results are text") : text;

    private static (string, bool) Cut(string text, int most)
    {
        if (text.Length <= most) return (text, false);
        return (text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)], true);
    }

    private static ToolFailedException NoNumber(double number) => new(string.Create(CultureInfo.InvariantCulture, $"the tool gave {number}, which is no number of JSON"));
}
