using System.Text;
using ADRaffy.ENSNormalize;

namespace Tokenizer.HuggingFace;

/// <summary>
/// Composed text (NFC, Unicode Standard Annex 15). Not <c>string.Normalize</c>, which changes nothing where the host runs without the operating system's Unicode
/// data; and the library, which takes long, sees only what may change.
/// </summary>
internal static class Composition
{
    // Characters that stay as they are, are no marks, and combine with nothing before them, so that a text can be cut before them. Others may be too.
    // Of pairs of surrogates the first decides: mathematical letters, emoji, rare Chinese characters.
    private static readonly (char First, char Last)[] Ranges =
    [
        ('\0', '\u02ff'), ('\u0388', '\u0482'), ('\u048a', '\u052f'), ('\u05d0', '\u05ea'), ('\u0621', '\u064a'), ('\u0660', '\u066f'), ('\u0671', '\u06d3'), ('\u0904', '\u0939'),
        ('\u093d', '\u094c'), ('\u0e01', '\u0e37'), ('\u0e3f', '\u0e47'), ('\u10a0', '\u10ff'), ('\u1e00', '\u1eff'), ('\u2002', '\u20cf'), ('\u20e2', '\u20e4'), ('\u2100', '\u2125'),
        ('\u212c', '\u2328'), ('\u232b', '\u2adb'), ('\u3000', '\u3029'), ('\u3030', '\u3096'), ('\u309b', '\u9fff'), ('\uac00', '\ud7a3'), ('\ud835', '\ud835'), ('\ud83c', '\ud83e'),
        ('\ud840', '\ud87d'), ('\udc00', '\uf8ff'), ('\ufe00', '\ufe0f'), ('\ufe30', '\uffff'),
    ];

    private static readonly ulong[] Settled = Bits();

    /// <summary>Whether this character neither changes nor combines with what is before it. False where it is not known.</summary>
    public static bool IsSettled(char letter) => (Settled[letter >> 6] >> (letter & 63) & 1) != 0;

    public static string Compose(string text)
    {
        var at = Next(text, 0);
        if (at == text.Length) return text;
        var (result, done) = (new StringBuilder(text.Length), 0);
        while (at < text.Length)
        {
            var start = Math.Max(at - 1, 0);  // the character that it may combine with
            if (start > 0 && char.IsLowSurrogate(text[start])) start--;
            while (at < text.Length && !IsSettled(text[at])) at += char.IsHighSurrogate(text[at]) ? 2 : 1;
            at = Math.Min(at, text.Length);
            result.Append(text, done, start - done).Append(ENSNormalize.NF.NFC(text[start..at]));
            (done, at) = (at, Next(text, at));
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    private static int Next(string text, int at)
    {
        while (at < text.Length && IsSettled(text[at])) at++;
        return at;
    }

    private static ulong[] Bits()
    {
        var bits = new ulong[0x10000 / 64];
        foreach (var (first, last) in Ranges)
            for (int letter = first; letter <= last; letter++) bits[letter >> 6] |= 1UL << (letter & 63);
        return bits;
    }
}
