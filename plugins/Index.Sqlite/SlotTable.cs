namespace Index.Sqlite;

/// <summary>Which chunk's vector stands in which slot. Slots of deleted chunks are given away again.</summary>
internal sealed class SlotTable
{
    private readonly SortedSet<int> free = [];
    private long[] chunks = new long[1024];
    private long[] documents = new long[1024];

    /// <summary>Slots that were ever used.</summary>
    public int Count { get; private set; }

    /// <summary>The chunk in a slot; 0: none.</summary>
    public long Chunk(int slot) => chunks[slot];

    /// <summary>The document of that chunk.</summary>
    public long Document(int slot) => documents[slot];

    /// <summary>Slots that are free, the lowest first.</summary>
    public List<int> Next(int count)
    {
        var next = free.Take(count).ToList();
        for (var slot = Count; next.Count < count; slot++) next.Add(slot);
        return next;
    }

    public void Take(int slot, long chunk, long document)
    {
        if (slot >= chunks.Length)
        {
            var size = Math.Max(slot + 1, 2 * chunks.Length);
            Array.Resize(ref chunks, size);
            Array.Resize(ref documents, size);
        }
        for (; Count <= slot; Count++) free.Add(Count);
        free.Remove(slot);
        (chunks[slot], documents[slot]) = (chunk, document);
    }

    public void Release(int slot)
    {
        (chunks[slot], documents[slot]) = (0, 0);
        free.Add(slot);
    }
}
