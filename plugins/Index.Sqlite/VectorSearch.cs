namespace Index.Sqlite;

/// <summary>Looks at every vector.</summary>
internal static class VectorSearch
{
    /// <summary>The best chunks, the best first; of equals the one that was put first.</summary>
    /// <param name="vectors">All vectors.</param>
    /// <param name="slots">Whose they are.</param>
    /// <param name="query">What they are compared with.</param>
    /// <param name="count">Chunks at most.</param>
    /// <param name="among">The only documents that count; null: all.</param>
    public static List<(long Chunk, float Score)> Find(VectorFile vectors, SlotTable slots, ReadOnlySpan<float> query, int count, HashSet<long>? among)
    {
        // The worst of the best so far is on top: the later of equals is worse.
        var best = new PriorityQueue<long, (float Score, long Later)>();
        var worst = float.NegativeInfinity;
        for (var slot = 0; slot < slots.Count; slot++)
        {
            var chunk = slots.Chunk(slot);
            if (chunk == 0 || among?.Contains(slots.Document(slot)) == false) continue;
            var score = vectors.Dot(query, slot);
            if (best.Count == count)
            {
                if (score < worst) continue;
                best.EnqueueDequeue(chunk, (score, -chunk));
            }
            else
            {
                best.Enqueue(chunk, (score, -chunk));
            }
            if (best.Count == count && best.TryPeek(out _, out var top)) worst = top.Score;
        }
        var found = new List<(long, float)>(best.Count);
        while (best.TryDequeue(out var chunk, out var place)) found.Add((chunk, place.Score));
        found.Reverse();
        return found;
    }
}
