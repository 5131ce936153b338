using PluginHost.Config;

namespace PluginHost.Serving.Documents;

/// <summary>The indexes of vector stores, each in a folder of its own and opened when it is first wanted. Safe for concurrent use.</summary>
internal sealed class StoreIndexes(string folder, RetrievalEngine engine) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = [];

    /// <summary>Does something with a store's index, which stays open meanwhile.</summary>
    public T Use<T>(string store, Func<OpenedIndex, T> act)
    {
        Entry entry;
        lock (gate)
            if (!entries.TryGetValue(store, out entry!)) entries[store] = entry = new Entry();
        entry.Access.EnterReadLock();
        try
        {
            // A store that has been deleted meanwhile finds nothing, and gets no folder again.
            return entry.Gone ? throw new ObjectDisposedException(store) : act(entry.Open(() => engine.Open(Path.Combine(folder, store, engine.Space))));
        }
        finally
        {
            entry.Access.ExitReadLock();
        }
    }

    /// <summary>Closes a store's index and deletes its folder.</summary>
    public void Remove(string store)
    {
        Entry? entry;
        lock (gate) entries.Remove(store, out entry);
        entry?.Close();
        var path = Path.Combine(folder, store);
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    /// <summary>Deletes the folders of stores that are no more, and indexes in other spaces than the present one.</summary>
    public void Tidy(IReadOnlySet<string> stores)
    {
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.GetDirectories(folder))
            if (!stores.Contains(Path.GetFileName(path))) Directory.Delete(path, recursive: true);
            else
                foreach (var space in Directory.GetDirectories(path).Where(space => Path.GetFileName(space) != engine.Space)) Directory.Delete(space, recursive: true);
        AtomicFile.FlushFolder(folder);
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var entry in entries.Values) entry.Close();
            entries.Clear();
        }
    }

    private sealed class Entry
    {
        private readonly Lock opening = new();
        private OpenedIndex? opened;

        public ReaderWriterLockSlim Access { get; } = new();

        public bool Gone { get; private set; }

        public OpenedIndex Open(Func<OpenedIndex> open)
        {
            lock (opening) return opened ??= open();
        }

        public void Close()
        {
            Access.EnterWriteLock();
            try
            {
                opened?.Dispose();
                (opened, Gone) = (null, true);
            }
            finally
            {
                Access.ExitWriteLock();
            }
        }
    }
}
