using PluginHost.Runs.Decoding;

namespace PluginHost.Runs.Chat;

/// <summary>
/// What encoders and fusion have made of media, kept for requests that bring the same ones: those used last, and any that are in use. Safe for concurrent use.
/// </summary>
/// <param name="capacity">Most that are kept without being in use.</param>
internal sealed class FusionCache(int capacity)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = [];
    private long generation;
    private long uses;

    /// <summary>Changes when everything is dropped: what was made for an earlier one is not kept.</summary>
    public long Generation => Interlocked.Read(ref generation);

    /// <summary>How many fusions are kept.</summary>
    public int Count
    {
        get
        {
            lock (gate) return entries.Count;
        }
    }

    /// <summary>A kept fusion, or a new one. It is released by disposing the result's owner.</summary>
    /// <param name="key">What the media are; null: this fusion is the request's alone.</param>
    /// <param name="from">The <see cref="Generation"/> that the request belongs to.</param>
    /// <param name="make">Makes it; its owner is disposed when nobody uses it any more and it is no longer kept.</param>
    public FusedPrompt Get(string? key, long from, Func<FusedPrompt> make)
    {
        if (key is null) return make();
        lock (gate)
            if (from == generation && entries.TryGetValue(key, out var known)) return Use(known);
        var made = make();
        Entry entry;
        lock (gate)
        {
            if (from != generation) return made;
            entry = entries[key] = new Entry(made);
            var used = Use(entry);
            Shrink();
            return used;
        }
    }

    /// <summary>Drops all: what is in use goes when its last user has gone.</summary>
    public void Clear()
    {
        lock (gate)
        {
            generation++;
            foreach (var entry in entries.Values) entry.Drop();
            entries.Clear();
        }
    }

    private FusedPrompt Use(Entry entry)
    {
        entry.Users++;
        entry.LastUse = ++uses;
        return entry.Made with { Owner = new Hold(this, entry), Lasting = true };
    }

    private void Shrink()
    {
        foreach (var (key, entry) in entries.Where(item => item.Value.Users == 0).OrderBy(item => item.Value.LastUse).Take(entries.Count - capacity).ToList())
        {
            entries.Remove(key);
            entry.Drop();
        }
    }

    private void Release(Entry entry)
    {
        lock (gate)
        {
            entry.Users--;
            if (entry.Dropped) entry.Drop();
            else Shrink();
        }
    }

    private sealed class Entry(FusedPrompt made)
    {
        public FusedPrompt Made { get; } = made;

        public int Users { get; set; }

        public long LastUse { get; set; }

        public bool Dropped { get; private set; }

        public void Drop()
        {
            Dropped = true;
            if (Users == 0) Made.Owner?.Dispose();
        }
    }

    private sealed class Hold(FusionCache cache, Entry entry) : IDisposable
    {
        private Entry? held = entry;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref held, null) is { } mine) cache.Release(mine);
        }
    }
}
