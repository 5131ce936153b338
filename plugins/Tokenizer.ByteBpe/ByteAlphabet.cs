using System.Text;
using System.Text.RegularExpressions;

namespace Tokenizer.ByteBpe;

/// <summary>GPT-2's printable stand-in for every byte, and its way of cutting text into words before any merge.</summary>
internal static partial class ByteAlphabet
{
    private static readonly char[] Letters = MakeLetters();
    private static readonly Dictionary<char, byte> Bytes = Enumerable.Range(0, 256).ToDictionary(value => Letters[value], value => (byte)value);

    public static char Letter(int value) => Letters[value];

    public static byte Byte(char letter) => Bytes[letter];

    public static bool IsLetter(char letter) => Bytes.ContainsKey(letter);

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    public static partial Regex Words();

    /// <summary>Text that is valid UTF-16: a lone surrogate has no bytes and becomes U+FFFD.</summary>
    public static string Valid(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>Bytes that print stand for themselves; the others take the code points from 256 on, in order.</summary>
    private static char[] MakeLetters()
    {
        var letters = new char[256];
        var next = 256;
        for (var value = 0; value < letters.Length; value++)
        {
            var prints = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            letters[value] = (char)(prints ? value : next++);
        }
        return letters;
    }
}
