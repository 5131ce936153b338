namespace PluginHost.Sdk;

/// <summary>Kind <c>index</c>: keeps documents in chunks, and finds chunks by their words and by their vectors.</summary>
public interface IIndexPlugin
{
    /// <summary>Opens an index, or makes an empty one.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">It cannot be opened: another process has it, it is damaged, or its vectors are of another width.</exception>
    IDocumentIndex Open(IndexContext context);
}

/// <summary>What an index is opened with.</summary>
/// <param name="Build">The surroundings.</param>
/// <param name="Folder">Where it may keep files, absolute; the index makes the folder when it needs it.</param>
/// <param name="Width">Width of all vectors; 0: chunks have none, and are found by words alone.</param>
public sealed record IndexContext(BuildContext Build, string Folder, int Width);

/// <summary>
/// An open index. Safe for concurrent use: a search sees a write whole or not at all. A write that has returned survives a kill and a power failure, and one that has not
/// leaves nothing behind. Owned by whoever opened it.
/// </summary>
public interface IDocumentIndex : IDisposable
{
    /// <summary>Number of chunks.</summary>
    int Chunks { get; }

    /// <summary>The ids of all documents and the fingerprints that they were put with.</summary>
    IReadOnlyDictionary<string, string> Documents { get; }

    /// <summary>Puts documents, in one write; one whose id is there already is replaced.</summary>
    /// <param name="documents">Any number.</param>
    /// <exception cref="ArgumentException">A vector is not of the index's width, or not finite.</exception>
    void Put(IReadOnlyList<IndexedDocument> documents);

    /// <summary>Deletes documents, in one write; none of their chunks is found afterwards. Ids that are not there are passed over.</summary>
    /// <param name="ids">The ids.</param>
    /// <returns>How many were there.</returns>
    int Delete(IReadOnlyList<string> ids);

    /// <summary>The best chunks by BM25 (Robertson et al. 1994): those with any of the query's words.</summary>
    /// <param name="query">Words; nothing in them is an operator.</param>
    /// <param name="count">Chunks at most, from 0 on.</param>
    /// <param name="filter">Attributes that a chunk's document has to have; null: any document.</param>
    /// <returns>The best first; of equals the one that was put first. As many as asked for, if so many have a word of the query and pass the filter.</returns>
    IReadOnlyList<FoundChunk> SearchText(string query, int count, IReadOnlyDictionary<string, string>? filter = null);

    /// <summary>The best chunks by the dot product of vectors.</summary>
    /// <param name="vector">Of the index's width.</param>
    /// <param name="count">Chunks at most, from 0 on.</param>
    /// <param name="filter">As above.</param>
    /// <returns>The best first; of equals the one that was put first. As many as asked for, if so many pass the filter.</returns>
    /// <exception cref="ArgumentException">The vector is not of the index's width.</exception>
    IReadOnlyList<FoundChunk> SearchVector(ReadOnlyMemory<float> vector, int count, IReadOnlyDictionary<string, string>? filter = null);
}

/// <summary>A document to be indexed.</summary>
/// <param name="Id">Unique in the index.</param>
/// <param name="Fingerprint">Of its content and of how it became chunks: whoever brings the same again can leave it out.</param>
/// <param name="Chunks">Its chunks in their order.</param>
public sealed record IndexedDocument(string Id, string Fingerprint, IReadOnlyList<IndexedChunk> Chunks)
{
    /// <summary>What searches filter by.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}

/// <summary>A stretch of a document.</summary>
/// <param name="Text">Its text.</param>
/// <param name="Place">Where it stands, for a person to read: <c>page 3</c>, <c>Install &gt; Linux</c>; empty: the whole document.</param>
/// <param name="Vector">Its vector; empty in an index of width 0.</param>
public sealed record IndexedChunk(string Text, string Place, ReadOnlyMemory<float> Vector);

/// <summary>A chunk that a search has found.</summary>
/// <param name="Document">The id of its document.</param>
/// <param name="Number">Which chunk of the document it is, from 0.</param>
/// <param name="Text">Its text.</param>
/// <param name="Place">Where it stands in the document.</param>
/// <param name="Score">How well it fits: the greater, the better. Comparable within a search.</param>
public sealed record FoundChunk(string Document, int Number, string Text, string Place, double Score)
{
    /// <summary>Attributes of its document.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}
