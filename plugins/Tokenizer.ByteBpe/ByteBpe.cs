using System.Text;
using Microsoft.ML.Tokenizers;
using PluginHost.Sdk;

namespace Tokenizer.ByteBpe;

/// <summary>A merge of two tokens, both spelled in the byte alphabet.</summary>
internal readonly record struct Merge(string Left, string Right)
{
    public string Token => Left + Right;
}

/// <summary>A trained tokenizer: ids 0 to 6 are the special tokens, then 256 bytes, then the merges in the order learnt.</summary>
internal sealed class ByteBpe : ITokenizer
{
    public const int FirstByte = 7;
    public const int FirstMerge = FirstByte + 256;

    private readonly IReadOnlyList<Merge> merges;
    private readonly BpeTokenizer encoder;
    private readonly byte[][] bytes; // by id; empty for special tokens

    public ByteBpe(IReadOnlyList<Merge> merges)
    {
        this.merges = merges;
        Tokens = [.. SpecialTokens.All, .. Enumerable.Range(0, 256).Select(value => ByteAlphabet.Letter(value).ToString()), .. merges.Select(merge => merge.Token)];
        bytes = [.. Tokens.Select((token, id) => id < FirstByte ? [] : token.Select(ByteAlphabet.Byte).ToArray())];
        // The encoder knows no special tokens: text that looks like one is encoded byte by byte.
        encoder = BpeTokenizer.Create(new BpeOptions(Tokens.Skip(FirstByte).Select((token, i) => KeyValuePair.Create(token, i + FirstByte)))
        {
            Merges = merges.Select(merge => $"{merge.Left} {merge.Right}"),
            PreTokenizer = new RegexPreTokenizer(ByteAlphabet.Words(), null),
            ByteLevel = true,
        });
    }

    public IReadOnlyList<string> Tokens { get; }

    public int Vocabulary => Tokens.Count;

    public IReadOnlyList<int> Encode(string text) => text.Length == 0 ? [] : encoder.EncodeToIds(ByteAlphabet.Valid(text));

    public string Decode(IReadOnlyList<int> ids)
    {
        var length = ids.Sum(id => Content(id).Length);
        var buffer = new byte[length];
        var end = 0;
        foreach (var id in ids)
        {
            Content(id).CopyTo(buffer, end);
            end += Content(id).Length;
        }
        return Encoding.UTF8.GetString(buffer);
    }

    public ReadOnlyMemory<byte> Bytes(int id) => Content(id);

    public int Special(string token)
    {
        for (var id = 0; id < FirstByte; id++)
            if (Tokens[id] == token) return id;
        throw new ArgumentException($"'{token}' is no special token; there are {string.Join(", ", SpecialTokens.All)}.", nameof(token));
    }

    public string ToJson() => TokenizerJson.Write(Tokens, merges);

    private byte[] Content(int id) => (uint)id < (uint)bytes.Length
        ? bytes[id]
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"Ids lie in 0..{bytes.Length - 1}.");
}
