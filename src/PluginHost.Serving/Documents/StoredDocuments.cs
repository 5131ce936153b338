namespace PluginHost.Serving.Documents;

/// <summary>A file that was sent.</summary>
/// <param name="Number">Counts files in the order in which they came.</param>
/// <param name="Id">Its id: <c>file-…</c>.</param>
/// <param name="Name">What the caller calls it; its extension says what it is.</param>
/// <param name="Purpose">What the caller says that it is for.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Hash">SHA-256 of its content, in hex.</param>
/// <param name="Created">When it came.</param>
internal sealed record StoredFile(long Number, string Id, string Name, string Purpose, long Bytes, string Hash, DateTimeOffset Created);

/// <summary>A vector store: files that are searched together.</summary>
/// <param name="Number">Counts stores in the order in which they were made.</param>
/// <param name="Id">Its id: <c>vs_…</c>.</param>
/// <param name="Name">What the caller calls it; may be empty.</param>
/// <param name="Description">What the caller says about it; null: nothing.</param>
/// <param name="Metadata">The caller's, as a JSON object.</param>
/// <param name="Created">When it was made.</param>
internal sealed record VectorStore(long Number, string Id, string Name, string? Description, string Metadata, DateTimeOffset Created)
{
    /// <summary>When it was changed last.</summary>
    public DateTimeOffset Changed { get; init; }
}

/// <summary>Where a file of a store stands.</summary>
internal enum IngestionStatus
{
    /// <summary>It waits, or is being read; a search does not find it yet.</summary>
    InProgress,

    /// <summary>Searches find it.</summary>
    Completed,

    /// <summary>It cannot be read.</summary>
    Failed,

    /// <summary>Its batch was cancelled before it was read.</summary>
    Cancelled,
}

/// <summary>How many files stand where, and the bytes of those that searches find.</summary>
internal readonly record struct FileCounts(int InProgress, int Completed, int Failed, int Cancelled, long Bytes)
{
    /// <summary>All of them.</summary>
    public int Total => InProgress + Completed + Failed + Cancelled;
}

/// <summary>Files that were attached to a store in one request.</summary>
/// <param name="Id">Its id: <c>vsfb_…</c>.</param>
/// <param name="Store">The store's id.</param>
/// <param name="Created">When they were attached.</param>
/// <param name="Cancelled">Whether what of it was not read yet has been given up.</param>
internal sealed record FileBatch(string Id, string Store, DateTimeOffset Created, bool Cancelled);

/// <summary>A file that is to be attached.</summary>
/// <param name="File">Its id.</param>
/// <param name="Attributes">What searches filter by, as a JSON object.</param>
/// <param name="Chunk">Characters of a chunk at most.</param>
internal sealed record AttachedAs(string File, string Attributes, int Chunk);

/// <summary>A file in a store.</summary>
/// <param name="Number">Counts them in the order in which they were attached.</param>
/// <param name="Store">The store's id.</param>
/// <param name="File">The file's id.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attributes">What searches filter by, as a JSON object of texts, numbers and truth values.</param>
/// <param name="Chunk">Characters of a chunk at most.</param>
/// <param name="Created">When it was attached.</param>
internal sealed record AttachedFile(long Number, string Store, string File, IngestionStatus Status, string Attributes, int Chunk, DateTimeOffset Created)
{
    /// <summary>For programs: <c>unsupported_file</c>, <c>invalid_file</c>, <c>server_error</c>; null: it has not failed.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Why it cannot be read.</summary>
    public string? Error { get; init; }

    /// <summary>How often its reading has begun.</summary>
    public int Attempts { get; init; }

    /// <summary>The file's name.</summary>
    public required string Name { get; init; }

    /// <summary>The file's size.</summary>
    public long Bytes { get; init; }

    /// <summary>The file's hash.</summary>
    public required string Hash { get; init; }

    /// <summary>Of its content and of how it became chunks.</summary>
    public string Fingerprint => $"{Hash} {Chunk} {Path.GetExtension(Name).ToLowerInvariant()}";
}

/// <summary>A page of a list.</summary>
/// <param name="Limit">Most items.</param>
/// <param name="Ascending">The oldest first.</param>
/// <param name="After">The number of the item that it begins after; null: at the beginning.</param>
/// <param name="Before">The number of the item that it ends before; null: at the end.</param>
internal sealed record ListPage(int Limit, bool Ascending, long? After, long? Before)
{
    /// <summary>The end of a statement that gives the page and one item more, if there is one.</summary>
    public string Sql(string number) =>
        $"{(After is null ? "" : $" AND {number} {(Ascending ? ">" : "<")} {After}")}{(Before is null ? "" : $" AND {number} {(Ascending ? "<" : ">")} {Before}")} ORDER BY {number} {(Ascending ? "ASC" : "DESC")} LIMIT {Limit + 1}";
}
