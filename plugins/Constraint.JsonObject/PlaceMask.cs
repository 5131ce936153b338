using PluginHost.Sdk;

namespace Constraint.JsonObject;

/// <summary>What may come at a place, whatever lies around the innermost object or array.</summary>
/// <param name="Certain">A bit for each token that may come in any case.</param>
/// <param name="Uncertain">Tokens that open an object or array, or go on behind the end of the innermost: they have to be tried.</param>
internal sealed record PlaceMask(ulong[] Certain, int[] Uncertain)
{
    // Wider than a single token's brackets: the true bound is held where the token is tried.
    private const int AnyDepth = 64;

    /// <summary>Tries all tokens; what they have in common at their beginnings is read once.</summary>
    public static PlaceMask Of(TokenBytes tokens, JsonCursor from, int mostBlanks)
    {
        var certain = new ulong[(tokens.Vocabulary + 63) / 64];
        var uncertain = new List<int>();
        var read = new JsonCursor[tokens.Longest + 1];  // by the number of bytes that have been read
        read[0] = from.Alone();
        var depth = read[0].Depth;
        // With so many first bytes like the last token's, this one too fails, or depends on what lies around.
        var (failed, open) = (int.MaxValue, int.MaxValue);
        for (var place = 0; place < tokens.Order.Length; place++)
        {
            var (token, at) = (tokens.Order[place], tokens.Shared[place]);
            if (at >= failed) continue;
            failed = int.MaxValue;
            if (at < open)
            {
                open = int.MaxValue;
                var bytes = tokens.Of(token);
                for (; at < bytes.Length && read[at].Depth == depth; at++)
                {
                    read[at + 1] = read[at];
                    if (read[at + 1].Read(bytes[at], AnyDepth, mostBlanks)) continue;
                    failed = at + 1;
                    break;
                }
                if (failed != int.MaxValue) continue;
                if (at == bytes.Length && read[at].Depth <= depth)
                {
                    certain[token / 64] |= 1UL << (token % 64);
                    continue;
                }
                open = at;
            }
            uncertain.Add(token);
        }
        return new PlaceMask(certain, [.. uncertain]);
    }
}
