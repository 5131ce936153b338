using System.Text;

namespace Filter.Perplexity;

/// <summary>
/// Mojibake that proves itself: bytes of Latin-1 characters that happen to be UTF-8 were UTF-8. A model cannot be left to find it: what is
/// broken alike in many texts of a corpus is usual there.
/// </summary>
internal static class BrokenEncoding
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What a text was before it was read in the wrong encoding; null when it was not.</summary>
    public static string? Intended(string text)
    {
        if (text.All(char.IsAscii) || text.Any(character => character > '\u00ff')) return null;
        try
        {
            return Strict.GetString(Encoding.Latin1.GetBytes(text));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
