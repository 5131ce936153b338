using System.Text;

namespace Filter.SafetyText;

/// <summary>
/// Takes the disguise off characters. The compatibility forms of NFKC that imitate Latin letters are folded here: without ICU, as the
/// host runs (invariant globalization), string.Normalize leaves them as they are.
/// </summary>
internal static class CharacterFold
{
    private const int MathLetters = 0x1D400; // 13 alphabets of 52 letters
    private const int MathDigits = 0x1D7CE;

    // Lower-case letters of other scripts that look like a Latin one; pairs of imitation and original.
    private const string Imitations =
        "аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwкkмmтtвbнhгrпnӏlүyαaεeοoρpυuνvιiκkτtχxηnωwβbγyσoѵv";

    private static readonly Dictionary<char, char> LookAlikes =
        Imitations.Chunk(2).DistinctBy(pair => pair[0]).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>Lower case, without width, style, strokes across letters and invisible characters.</summary>
    public static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsInvisible(rune.Value)) continue;
            folded.Append(Rune.ToLowerInvariant(Plain(rune)).ToString());
        }
        return folded.ToString();
    }

    /// <summary>A word with its Cyrillic and Greek look-alikes replaced; null when that does not give a Latin word.</summary>
    public static string? Unmask(string word)
    {
        if (!word.Any(LookAlikes.ContainsKey)) return null;
        var latin = string.Concat(word.Select(letter => LookAlikes.GetValueOrDefault(letter, letter)));
        return latin.All(char.IsAscii) ? latin : null;
    }

    private static Rune Plain(Rune rune) => rune.Value switch
    {
        0x3000 => new Rune(' '),
        >= 0xFF01 and <= 0xFF5E => new Rune(rune.Value - 0xFEE0),                                // full width
        >= 0x24B6 and <= 0x24CF => new Rune('a' + rune.Value - 0x24B6),                          // circled
        >= 0x24D0 and <= 0x24E9 => new Rune('a' + rune.Value - 0x24D0),
        >= MathLetters and <= 0x1D6A3 => new Rune('a' + (rune.Value - MathLetters) % 26),        // bold, italic, script, ...
        >= MathDigits and <= 0x1D7FF => new Rune('0' + (rune.Value - MathDigits) % 10),
        _ => rune,
    };

    // Zero-width characters, the soft hyphen, strokes laid over letters.
    private static bool IsInvisible(int value) => value is 0xAD or >= 0x200B and <= 0x200F or 0x2060 or 0xFEFF or >= 0x334 and <= 0x338 or >= 0xFE00 and <= 0xFE0F;
}
