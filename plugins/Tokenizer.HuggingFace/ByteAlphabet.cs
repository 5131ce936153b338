namespace Tokenizer.HuggingFace;

/// <summary>GPT-2's printable stand-in for every byte (Radford et al. 2019): bytes that print stand for themselves, the others take code points from 256 on.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = Make();
    private static readonly Dictionary<char, byte> Values = Enumerable.Range(0, 256).ToDictionary(value => Letters[value], value => (byte)value);

    public static char Letter(int value) => Letters[value];

    /// <summary>The bytes that a token stands for; one that is not spelled in the alphabet stands for its own text.</summary>
    public static byte[] Bytes(string token) => token.All(Values.ContainsKey) ? [.. token.Select(letter => Values[letter])] : System.Text.Encoding.UTF8.GetBytes(token);

    private static char[] Make()
    {
        var letters = new char[256];
        var next = 256;
        for (var value = 0; value < letters.Length; value++)
            letters[value] = (char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? value : next++);
        return letters;
    }
}
