using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>The bytes of a tokenizer's tokens, and their order by bytes: tokens that begin alike stand side by side.</summary>
internal sealed class TokenBytes
{
    private readonly ReadOnlyMemory<byte>[] bytes; // by id; empty where there are none

    public TokenBytes(ITokenizer tokenizer)
    {
        bytes = [.. Enumerable.Range(0, tokenizer.Vocabulary).Select(tokenizer.Bytes)];
        Order = [.. Enumerable.Range(0, bytes.Length).Where(id => bytes[id].Length > 0)];
        Array.Sort(Order, (first, second) => Of(first).SequenceCompareTo(Of(second)));
        Shared = [.. Order.Select((id, place) => place == 0 ? 0 : Of(id).CommonPrefixLength(Of(Order[place - 1])))];
        Longest = Order.Select(id => bytes[id].Length).DefaultIfEmpty(0).Max();
    }

    public int Vocabulary => bytes.Length;

    /// <summary>Ids of the tokens that have bytes.</summary>
    public int[] Order { get; }

    /// <summary>How many first bytes each of <see cref="Order"/> has in common with the one before.</summary>
    public int[] Shared { get; }

    /// <summary>Bytes of the longest token.</summary>
    public int Longest { get; }

    public ReadOnlySpan<byte> Of(int id) => bytes[id].Span;

    /// <summary>Whether a token is this byte and no more.</summary>
    public bool Has(byte value) => Order.Any(id => Of(id) is [var only] && only == value);
}
