using System.Collections.Concurrent;
using PluginHost.Sdk;

namespace Constraint.JsonObject;

/// <summary>JSON objects in a tokenizer's tokens. Masks are made when a place is first met, and kept: two threads that meet it at once make the same.</summary>
internal sealed class BoundJsonObject(TokenBytes tokens, int depth, int blanks) : IConstraint
{
    private readonly ConcurrentDictionary<int, PlaceMask> masks = new();

    public IConstraintState Begin() => new State(this);

    private PlaceMask MaskAt(in JsonCursor cursor) => masks.TryGetValue(cursor.Key, out var known) ? known : masks.GetOrAdd(cursor.Key, PlaceMask.Of(tokens, cursor, blanks));

    private sealed class State(BoundJsonObject bound) : IConstraintState
    {
        private JsonCursor cursor;

        public bool MayEnd => cursor.Place == JsonPlace.Done;

        public void Mask(Span<ulong> allowed)
        {
            var mask = bound.MaskAt(cursor);
            mask.Certain.CopyTo(allowed);
            allowed[mask.Certain.Length..].Clear();
            foreach (var token in mask.Uncertain)
            {
                var next = cursor;
                if (bound.Reads(ref next, token)) allowed[token / 64] |= 1UL << (token % 64);
            }
        }

        public void Accept(int token)
        {
            var next = cursor;
            if ((uint)token >= (uint)bound.Vocabulary || !bound.Reads(ref next, token)) throw new InvalidOperationException($"Token {token} may not come here: the answer would be no JSON object.");
            cursor = next;
        }
    }

    private int Vocabulary => tokens.Vocabulary;

    private bool Reads(ref JsonCursor cursor, int token) => tokens.Of(token) is { Length: > 0 } bytes && cursor.Read(bytes, depth, blanks);
}
