using System.Text;
using PluginHost.Tools.Calls;

namespace PluginHost.Serving.Tools;

/// <summary>Reads an answer's text, and no more of it than is passed on: the rest never comes into memory.</summary>
internal static class CappedText
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <returns>A text; a <see cref="CutText"/> when there was more.</returns>
    /// <exception cref="ToolFailedException">It is no text.</exception>
    public static async Task<object> ReadAsync(HttpContent content, int most, CancellationToken cancellation)
    {
        var type = content.Headers.ContentType?.MediaType ?? "text/plain";
        if (IsBinary(type)) throw new ToolFailedException($"the tool answered with {type}; results are text");
        await using var body = await content.ReadAsStreamAsync(cancellation);
        var bytes = new byte[most + 1];
        var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        var cut = count > most;
        var whole = cut ? Whole(bytes.AsSpan(0, most)) : bytes.AsSpan(0, count);
        try
        {
            var text = Strict.GetString(whole);
            return cut ? new CutText(text) : text;
        }
        catch (DecoderFallbackException)
        {
            throw new ToolFailedException("the tool answered with bytes that are no UTF-8; results are text");
        }
    }

    private static bool IsBinary(string type) =>
        type.StartsWith("image/", StringComparison.OrdinalIgnoreCase) || type.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) || type.StartsWith("video/", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase) || type.Equals("application/zip", StringComparison.OrdinalIgnoreCase) || type.Equals("application/pdf", StringComparison.OrdinalIgnoreCase);

    // Without the bytes of a character that was cut in the middle.
    private static Span<byte> Whole(Span<byte> bytes)
    {
        var first = bytes.Length - 1; // the first byte of the last character
        while (first > 0 && bytes.Length - first < 4 && (bytes[first] & 0xC0) == 0x80) first--;
        var wanted = bytes[first] switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return bytes.Length - first < wanted ? bytes[..first] : bytes;
    }
}
