using PluginHost.Sdk;

namespace Index.Sqlite;

/// <summary>
/// The index of a folder: <c>index.db</c> and <c>vectors.f32</c>. Vectors are written and flushed before the transaction that gives their slots a chunk: what the database names is
/// there, and what a kill has left in other slots is written over. A slot that a transaction sets free is used by later ones alone.
/// </summary>
internal sealed class DocumentIndex : IDocumentIndex
{
    private readonly Lock gate = new();                    // the connection
    private readonly ReaderWriterLockSlim access = new();  // slots and vectors
    private readonly int width;
    private readonly FileStream owner;
    private readonly Database database;
    private readonly VectorFile? vectors;
    private readonly SlotTable slots = new();
    private readonly Dictionary<string, string> documents = [];
    private int chunks;

    public DocumentIndex(string folder, int width, bool stem)
    {
        this.width = width;
        Directory.CreateDirectory(folder);
        owner = Own(Path.Combine(folder, "index.lock"), folder);
        try
        {
            database = Schema.Open(Path.Combine(folder, "index.db"), width, stem);
            vectors = width == 0 ? null : new VectorFile(Path.Combine(folder, "vectors.f32"), width);
            Load(folder);
        }
        catch
        {
            vectors?.Dispose();
            database?.Dispose();
            owner.Dispose();
            throw;
        }
    }

    public int Chunks => Volatile.Read(ref chunks);

    public IReadOnlyDictionary<string, string> Documents
    {
        get
        {
            lock (gate) return new Dictionary<string, string>(documents);
        }
    }

    public void Put(IReadOnlyList<IndexedDocument> documents)
    {
        Check(documents);
        // Of two with one id in one write the later one counts, as in two writes.
        IndexedDocument[] wanted = [.. documents.GroupBy(document => document.Id).Select(group => group.Last())];
        Change(() =>
        {
            var writer = new DocumentWriter(database, slots);
            if (vectors is not null) vectors.Write(writer.Plan(wanted));
            database.Transaction(() => writer.Put(wanted, width > 0));
            return writer;
        });
    }

    public int Delete(IReadOnlyList<string> ids) => Change(() =>
    {
        var writer = new DocumentWriter(database, slots);
        database.Transaction(() => writer.Delete([.. ids.Distinct()]));
        return writer;
    }).Deleted.Count;

    public IReadOnlyList<FoundChunk> SearchText(string query, int count, IReadOnlyDictionary<string, string>? filter = null)
    {
        if (count <= 0) return [];
        lock (gate) return new TextSearch(database).Find(query, count, filter);
    }

    public IReadOnlyList<FoundChunk> SearchVector(ReadOnlyMemory<float> vector, int count, IReadOnlyDictionary<string, string>? filter = null)
    {
        if (vector.Length != width) throw new ArgumentException($"The vector is {vector.Length} wide, and those of the index are {width}.", nameof(vector));
        if (count <= 0 || vectors is null) return [];
        access.EnterReadLock();
        try
        {
            HashSet<long>? among = null;
            if (filter is { Count: > 0 })
                lock (gate) among = new TextSearch(database).Among(filter);
            var best = VectorSearch.Find(vectors, slots, vector.Span, count, among);
            lock (gate) return [.. best.Select(item => TextSearch.Chunk(database, item.Chunk, item.Score))];
        }
        finally
        {
            access.ExitReadLock();
        }
    }

    public void Dispose()
    {
        access.EnterWriteLock();
        try
        {
            vectors?.Dispose();
            database.Dispose();
            owner.Dispose();
        }
        finally
        {
            access.ExitWriteLock();
        }
        access.Dispose();
    }

    // What is in memory follows what is on the disk, and only when that is there.
    private DocumentWriter Change(Func<DocumentWriter> write)
    {
        access.EnterWriteLock();
        try
        {
            lock (gate)
            {
                var done = write();
                foreach (var slot in done.Released) slots.Release(slot);
                foreach (var (slot, chunk, document) in done.Taken) slots.Take(slot, chunk, document);
                foreach (var id in done.Deleted) documents.Remove(id);
                foreach (var (id, fingerprint) in done.Added) documents[id] = fingerprint;
                Volatile.Write(ref chunks, chunks + done.ChunksAdded - done.ChunksDeleted);
                return done;
            }
        }
        finally
        {
            access.ExitWriteLock();
        }
    }

    private void Check(IReadOnlyList<IndexedDocument> wanted)
    {
        foreach (var document in wanted)
            foreach (var chunk in document.Chunks)
            {
                if (chunk.Vector.Length != width) throw new ArgumentException($"A vector of '{document.Id}' is {chunk.Vector.Length} wide, and those of the index are {width}.", nameof(wanted));
                foreach (var value in chunk.Vector.Span)
                    if (!float.IsFinite(value)) throw new ArgumentException($"A vector of '{document.Id}' is not finite.", nameof(wanted));
            }
    }

    private void Load(string folder)
    {
        foreach (var (id, fingerprint) in database.Rows("SELECT id, fingerprint FROM documents", row => (row.Text(0), row.Text(1)))) documents[id] = fingerprint;
        foreach (var (chunk, document, slot) in database.Rows("SELECT number, document, slot FROM chunks", row => (row.Number(0), row.Number(1), (int)row.Number(2))))
        {
            chunks++;
            if (vectors is null) continue;
            if (slot >= vectors.Slots) throw new UserErrorException($"index.sqlite: {folder} is damaged: vectors.f32 is shorter than index.db says; take both away, and build the index anew");
            slots.Take(slot, chunk, document);
        }
    }

    private static FileStream Own(string file, string folder)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            throw new UserErrorException($"index.sqlite: another process has the index in {folder}; wait for its end, or stop it");
        }
    }
}
