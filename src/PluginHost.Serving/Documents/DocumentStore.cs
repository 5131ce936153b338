using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace PluginHost.Serving.Documents;

/// <summary>Which files and vector stores there are, in a SQLite file: what has been acknowledged is there after a power failure. Safe for concurrent use.</summary>
internal sealed class DocumentStore(string file, int mostPages = 0) : IDisposable
{
    private const string Files = "SELECT number, id, name, purpose, bytes, hash, created FROM files WHERE 1";
    private const string Stores = "SELECT number, id, name, description, metadata, created, changed FROM stores WHERE 1";
    private const string Attached = "SELECT a.number, a.store, a.file, a.status, a.attributes, a.chunk, a.created, a.code, a.error, a.attempts, f.name, f.bytes, f.hash FROM attached a JOIN files f ON f.id = a.file WHERE 1";

    private const string OfBatch = "AND ($batch IS NULL OR a.number IN (SELECT attached FROM batched WHERE batch = $batch))";

    private readonly SqliteFile database = new(file, "documents", "give this one artifacts of its own", """
        CREATE TABLE IF NOT EXISTS files (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, purpose TEXT NOT NULL, bytes INTEGER NOT NULL, hash TEXT NOT NULL, created INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS stores (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT, metadata TEXT NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS attached (number INTEGER PRIMARY KEY AUTOINCREMENT, store TEXT NOT NULL REFERENCES stores (id) ON DELETE CASCADE, file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
          status INTEGER NOT NULL, attributes TEXT NOT NULL, chunk INTEGER NOT NULL, created INTEGER NOT NULL, code TEXT, error TEXT, attempts INTEGER NOT NULL DEFAULT 0, space TEXT, UNIQUE (store, file));
        CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, store TEXT NOT NULL REFERENCES stores (id) ON DELETE CASCADE, created INTEGER NOT NULL, cancelled INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE IF NOT EXISTS batched (attached INTEGER PRIMARY KEY REFERENCES attached (number) ON DELETE CASCADE, batch TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE);
        CREATE INDEX IF NOT EXISTS batchedOf ON batched (batch);
        CREATE INDEX IF NOT EXISTS attachedOfFiles ON attached (file);
        CREATE INDEX IF NOT EXISTS attachedWaiting ON attached (status, number);
        """, mostPages);

    /// <summary>A new id.</summary>
    public static string NewId(string prefix) => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    /// <summary>Adds a file whose content is on the disk.</summary>
    public StoredFile AddFile(string id, string name, string purpose, long bytes, string hash, DateTimeOffset now)
    {
        database.Execute("INSERT INTO files (id, name, purpose, bytes, hash, created) VALUES ($id, $name, $purpose, $bytes, $hash, $now)",
            ("$id", id), ("$name", name), ("$purpose", purpose), ("$bytes", bytes), ("$hash", hash), ("$now", Milliseconds(now)));
        return FindFile(id)!;
    }

    /// <summary>A file, or null.</summary>
    public StoredFile? FindFile(string id) => database.Read($"{Files} AND id = $id", FileOf, ("$id", id)).FirstOrDefault();

    /// <summary>A page of the files, and one more where there is a next page.</summary>
    public IReadOnlyList<StoredFile> ListFiles(ListPage page, string? purpose) =>
        database.Read($"{Files} AND ($purpose IS NULL OR purpose = $purpose){page.Sql("number")}", FileOf, ("$purpose", purpose));

    /// <summary>The ids of all files.</summary>
    public HashSet<string> FileIds() => [.. database.Read("SELECT id FROM files", row => row.GetString(0))];

    /// <summary>Deletes a file, from all stores too, and gives the stores; null: there is none.</summary>
    public IReadOnlyList<string>? DeleteFile(string id, DateTimeOffset now) => database.Whole<IReadOnlyList<string>?>(() =>
    {
        var stores = database.Read("SELECT store FROM attached WHERE file = $id", row => row.GetString(0), ("$id", id));
        foreach (var store in stores) Touch(store, now);
        return database.Execute("DELETE FROM files WHERE id = $id", ("$id", id)) > 0 ? stores : null;
    });

    /// <summary>Adds a store.</summary>
    public VectorStore AddStore(string name, string? description, string metadata, DateTimeOffset now)
    {
        var id = NewId("vs_");
        database.Execute("INSERT INTO stores (id, name, description, metadata, created, changed) VALUES ($id, $name, $description, $metadata, $now, $now)",
            ("$id", id), ("$name", name), ("$description", description), ("$metadata", metadata), ("$now", Milliseconds(now)));
        return FindStore(id)!;
    }

    /// <summary>A store by its id, or null.</summary>
    public VectorStore? FindStore(string id) => database.Read($"{Stores} AND id = $id", StoreOf, ("$id", id)).FirstOrDefault();

    /// <summary>The newest store of a name, or null.</summary>
    public VectorStore? FindStoreByName(string name) => database.Read($"{Stores} AND name = $name ORDER BY number DESC LIMIT 1", StoreOf, ("$name", name)).FirstOrDefault();

    /// <summary>A page of the stores, and one more.</summary>
    public IReadOnlyList<VectorStore> ListStores(ListPage page) => database.Read($"{Stores}{page.Sql("number")}", StoreOf);

    /// <summary>The ids of all stores.</summary>
    public HashSet<string> StoreIds() => [.. database.Read("SELECT id FROM stores", row => row.GetString(0))];

    /// <summary>Changes a store; what is null stays.</summary>
    public bool ChangeStore(string id, string? name, string? metadata, DateTimeOffset now) => database.Execute(
        "UPDATE stores SET name = coalesce($name, name), metadata = coalesce($metadata, metadata), changed = $now WHERE id = $id", ("$id", id), ("$name", name), ("$metadata", metadata), ("$now", Milliseconds(now))) > 0;

    /// <summary>Deletes a store; its files stay.</summary>
    public bool DeleteStore(string id) => database.Execute("DELETE FROM stores WHERE id = $id", ("$id", id)) > 0;

    /// <summary>How many files of a store, or of a batch of it, stand where.</summary>
    public FileCounts Count(string store, string? batch = null)
    {
        var rows = database.Read($"SELECT a.status, count(*), sum(f.bytes) FROM attached a JOIN files f ON f.id = a.file WHERE a.store = $store {OfBatch} GROUP BY a.status",
            row => (Status: (IngestionStatus)row.GetInt32(0), Count: row.GetInt32(1), Bytes: row.GetInt64(2)), ("$store", store), ("$batch", batch));
        int Of(IngestionStatus status) => rows.Where(row => row.Status == status).Sum(row => row.Count);
        return new FileCounts(Of(IngestionStatus.InProgress), Of(IngestionStatus.Completed), Of(IngestionStatus.Failed), Of(IngestionStatus.Cancelled), rows.Where(row => row.Status == IngestionStatus.Completed).Sum(row => row.Bytes));
    }

    /// <summary>Attaches a file, to be read; one that is attached already is read anew.</summary>
    public AttachedFile Attach(string store, AttachedAs item, DateTimeOffset now) => database.Whole(() =>
    {
        Add(store, item, now);
        return FindAttached(store, item.File)!;
    });

    /// <summary>Attaches files together, all of them or none.</summary>
    public FileBatch AttachBatch(string store, IReadOnlyList<AttachedAs> items, DateTimeOffset now) => database.Whole(() =>
    {
        var id = NewId("vsfb_");
        database.Execute("INSERT INTO batches (id, store, created) VALUES ($id, $store, $now)", ("$id", id), ("$store", store), ("$now", Milliseconds(now)));
        foreach (var item in items)
        {
            Add(store, item, now);
            database.Execute("INSERT INTO batched (attached, batch) VALUES (last_insert_rowid(), $id)", ("$id", id));
        }
        return FindBatch(store, id)!;
    });

    /// <summary>A batch of a store, or null.</summary>
    public FileBatch? FindBatch(string store, string id) => database.Read("SELECT id, store, created, cancelled FROM batches WHERE store = $store AND id = $id",
        row => new FileBatch(row.GetString(0), row.GetString(1), Time(row, 2), row.GetBoolean(3)), ("$store", store), ("$id", id)).FirstOrDefault();

    /// <summary>Gives up what of a batch has not been read; one that was read whole stays as it is.</summary>
    public void CancelBatch(string id) => database.Whole(() =>
        database.Execute("UPDATE attached SET status = 3 WHERE status = 0 AND number IN (SELECT attached FROM batched WHERE batch = $id)", ("$id", id)) > 0
        && database.Execute("UPDATE batches SET cancelled = 1 WHERE id = $id", ("$id", id)) > 0);

    /// <summary>A file of a store, or null.</summary>
    public AttachedFile? FindAttached(string store, string file) => database.Read($"{Attached} AND a.store = $store AND a.file = $file", AttachedOf, ("$store", store), ("$file", file)).FirstOrDefault();

    /// <summary>A page of a store's files, or of those of a batch of it, and one more.</summary>
    public IReadOnlyList<AttachedFile> ListAttached(string store, ListPage page, IngestionStatus? status, string? batch = null) =>
        database.Read($"{Attached} AND a.store = $store AND ($status IS NULL OR a.status = $status) {OfBatch}{page.Sql("a.number")}", AttachedOf, ("$store", store), ("$status", (int?)status), ("$batch", batch));

    /// <summary>The files of a store that searches find.</summary>
    public IReadOnlyList<AttachedFile> Searchable(string store) => database.Read($"{Attached} AND a.store = $store AND a.status = 1", AttachedOf, ("$store", store));

    /// <summary>Changes what searches filter by.</summary>
    public bool ChangeAttributes(string store, string file, string attributes) =>
        database.Execute("UPDATE attached SET attributes = $attributes WHERE store = $store AND file = $file", ("$store", store), ("$file", file), ("$attributes", attributes)) > 0;

    /// <summary>Takes a file out of a store.</summary>
    public bool Detach(string store, string file, DateTimeOffset now) => database.Whole(() =>
    {
        Touch(store, now);
        return database.Execute("DELETE FROM attached WHERE store = $store AND file = $file", ("$store", store), ("$file", file)) > 0;
    });

    /// <summary>The file that is to be read next, and one attempt more for it; null: none waits.</summary>
    public AttachedFile? Begin() => database.Whole(() =>
    {
        if (database.Read($"{Attached} AND a.status = 0 ORDER BY a.number LIMIT 1", AttachedOf).FirstOrDefault() is not { } next) return null;
        database.Execute("UPDATE attached SET attempts = attempts + 1 WHERE number = $number", ("$number", next.Number));
        return next with { Attempts = next.Attempts + 1 };
    });

    /// <summary>Notes that a file's chunks are in the index of a space.</summary>
    public void Complete(AttachedFile item, string space) =>
        database.Execute("UPDATE attached SET status = 1, space = $space, attempts = 0 WHERE status = 0 AND number = $number", ("$space", space), ("$number", item.Number));

    /// <summary>Notes that a file cannot be read.</summary>
    public void Fail(AttachedFile item, string code, string error) =>
        database.Execute("UPDATE attached SET status = 2, code = $code, error = $error, attempts = 0 WHERE status = 0 AND number = $number", ("$code", code), ("$error", error), ("$number", item.Number));

    /// <summary>Lets a file be read again.</summary>
    public void Again(AttachedFile item) => database.Execute("UPDATE attached SET status = 0 WHERE number = $number", ("$number", item.Number));

    /// <summary>Lets all files be read again whose chunks are in indexes of other spaces.</summary>
    public void Enter(string space) => database.Execute("UPDATE attached SET status = 0 WHERE status = 1 AND space IS NOT $space", ("$space", space));

    public void Dispose() => database.Dispose();

    private void Add(string store, AttachedAs item, DateTimeOffset now)
    {
        database.Execute("DELETE FROM attached WHERE store = $store AND file = $file", ("$store", store), ("$file", item.File));
        Touch(store, now);
        database.Execute("INSERT INTO attached (store, file, status, attributes, chunk, created) VALUES ($store, $file, 0, $attributes, $chunk, $now)",
            ("$store", store), ("$file", item.File), ("$attributes", item.Attributes), ("$chunk", item.Chunk), ("$now", Milliseconds(now)));
    }

    private void Touch(string store, DateTimeOffset now) => database.Execute("UPDATE stores SET changed = $now WHERE id = $id", ("$id", store), ("$now", Milliseconds(now)));

    private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private static DateTimeOffset Time(SqliteDataReader row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    private static StoredFile FileOf(SqliteDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt64(4), row.GetString(5), Time(row, 6));

    private static VectorStore StoreOf(SqliteDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetString(4), Time(row, 5)) { Changed = Time(row, 6) };

    private static AttachedFile AttachedOf(SqliteDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2), (IngestionStatus)row.GetInt32(3), row.GetString(4), row.GetInt32(5), Time(row, 6))
    {
        ErrorCode = row.IsDBNull(7) ? null : row.GetString(7),
        Error = row.IsDBNull(8) ? null : row.GetString(8),
        Attempts = row.GetInt32(9),
        Name = row.GetString(10),
        Bytes = row.GetInt64(11),
        Hash = row.GetString(12),
    };
}
