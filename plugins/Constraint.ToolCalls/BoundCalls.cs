using System.Collections.Concurrent;
using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>A grammar in a tokenizer's tokens. Masks are made by one walk over the vocabulary, and those of the places met first are kept.</summary>
internal sealed class BoundCalls(TokenBytes tokens, Place start) : IConstraint
{
    private const int Kept = 256;

    private readonly ConcurrentDictionary<Cursor, ulong[]> masks = new();

    public IConstraintState Begin() => new State(this, tokens.Longest);

    private sealed class State(BoundCalls bound, int longest) : IConstraintState
    {
        private readonly Cursor[] read = new Cursor[longest + 1]; // by the number of a token's bytes that have been read
        private Cursor cursor = new() { At = bound.Start };

        public bool MayEnd => cursor.At.MayEnd;

        public void Mask(Span<ulong> allowed)
        {
            if (!bound.masks.TryGetValue(cursor, out var known))
            {
                bound.Walk(cursor, read, allowed);
                if (bound.masks.Count < Kept) bound.masks.TryAdd(cursor, allowed[..((bound.Vocabulary + 63) / 64)].ToArray());
                return;
            }
            known.CopyTo(allowed);
            allowed[known.Length..].Clear();
        }

        public void Accept(int token)
        {
            var next = cursor;
            if ((uint)token >= (uint)bound.Vocabulary || !bound.Reads(ref next, token)) throw new InvalidOperationException($"Token {token} may not come here: the answer would hold a call that no function takes.");
            cursor = next;
        }
    }

    private Place Start => start;

    private int Vocabulary => tokens.Vocabulary;

    private bool Reads(ref Cursor cursor, int token)
    {
        var bytes = tokens.Of(token);
        foreach (var value in bytes)
            if (!cursor.Read(value)) return false;
        return bytes.Length > 0;
    }

    // Tokens come in the order of their bytes: what they have in common at their beginnings is read once.
    private void Walk(in Cursor from, Cursor[] read, Span<ulong> allowed)
    {
        allowed.Clear();
        read[0] = from;
        var failed = int.MaxValue; // with so many first bytes like the last token's, this one fails too
        for (var place = 0; place < tokens.Order.Length; place++)
        {
            var (token, at) = (tokens.Order[place], tokens.Shared[place]);
            if (at >= failed) continue;
            failed = int.MaxValue;
            var bytes = tokens.Of(token);
            for (; at < bytes.Length; at++)
            {
                read[at + 1] = read[at];
                if (read[at + 1].Read(bytes[at])) continue;
                failed = at + 1;
                break;
            }
            if (failed == int.MaxValue) allowed[token / 64] |= 1UL << (token % 64);
        }
    }
}
