namespace PluginHost.Sdk;

/// <summary>
/// The bytes of a tokenizer's tokens, and their order by bytes: tokens that begin alike stand side by side, so that a constraint walks what they share once. Made once for a tokenizer; immutable.
/// </summary>
public sealed class TokenBytes
{
    private readonly ReadOnlyMemory<byte>[] bytes; // by id; empty where there are none
    private readonly int[] order;
    private readonly int[] shared;

    /// <summary>Reads all tokens.</summary>
    /// <param name="tokenizer">The tokenizer; its <see cref="ITokenizer.Bytes"/> are kept.</param>
    public TokenBytes(ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        bytes = [.. Enumerable.Range(0, tokenizer.Vocabulary).Select(tokenizer.Bytes)];
        order = [.. Enumerable.Range(0, bytes.Length).Where(id => bytes[id].Length > 0)];
        Array.Sort(order, (first, second) => Of(first).SequenceCompareTo(Of(second)));
        shared = [.. order.Select((id, place) => place == 0 ? 0 : Of(id).CommonPrefixLength(Of(order[place - 1])))];
        Longest = order.Select(id => bytes[id].Length).DefaultIfEmpty(0).Max();
    }

    /// <summary>Number of ids.</summary>
    public int Vocabulary => bytes.Length;

    /// <summary>Ids of the tokens that have bytes.</summary>
    public ReadOnlySpan<int> Order => order;

    /// <summary>How many first bytes each of <see cref="Order"/> has in common with the one before.</summary>
    public ReadOnlySpan<int> Shared => shared;

    /// <summary>Bytes of the longest token.</summary>
    public int Longest { get; }

    /// <summary>The bytes that a token adds; empty where it has none.</summary>
    public ReadOnlySpan<byte> Of(int id) => bytes[id].Span;

    /// <summary>Whether a token is this byte and no more.</summary>
    public bool Has(byte value) => order.Any(id => Of(id) is [var only] && only == value);
}
