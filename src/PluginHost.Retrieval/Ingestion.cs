using System.Diagnostics;
using PluginHost.Retrieval.Documents;
using PluginHost.Sdk;

namespace PluginHost.Retrieval;

/// <summary>What an ingestion did.</summary>
/// <param name="Put">Documents that were new or had changed.</param>
/// <param name="Kept">Documents that were there already.</param>
/// <param name="Deleted">Documents that are no longer in the list.</param>
/// <param name="Chunks">Chunks that were put.</param>
/// <param name="Seconds">Time that reading, cutting and putting took, without the encoder.</param>
/// <param name="Refused">Documents that could not be read, with the reason.</param>
public sealed record IngestionResult(int Put, int Kept, int Deleted, int Chunks, double Seconds, IReadOnlyList<(string Id, string Reason)> Refused)
{
    /// <summary>Chunks a second without the encoder; 0 when none was put.</summary>
    public double ChunksPerSecond => Chunks == 0 ? 0 : Chunks / Seconds;
}

/// <summary>Brings an index to what a list of documents says: what is new or has changed is put, what has gone is deleted, the rest is left alone.</summary>
/// <param name="index">The index.</param>
/// <param name="encode">Vectors of chunks; null: the index has none. A <see cref="UserErrorException"/> or <see cref="BadSampleException"/> of it speaks of a picture.</param>
/// <param name="chunker">Cuts documents.</param>
public sealed class Ingestion(IDocumentIndex index, Func<IReadOnlyList<Passage>, IReadOnlyList<float[]>>? encode, Chunker chunker)
{
    /// <summary>Chunks of a write at least, if there are so many: each write waits for the disk.</summary>
    private const int ChunksInAWrite = 1024;

    private readonly Stopwatch watch = new();
    private readonly List<(ListedDocument Document, List<Passage> Chunks, IReadOnlyList<float[]>? Vectors)> waiting = [];
    private readonly List<(string, string)> refused = [];
    private int put;
    private int chunks;
    private int waitingChunks;

    /// <summary>Does it; when it is stopped, what was put stays, and the next one goes on from there.</summary>
    /// <param name="documents">All that is to be in the index afterwards.</param>
    /// <param name="progress">Told the documents so far.</param>
    /// <param name="cancellation">Ends it between documents.</param>
    public IngestionResult Run(IEnumerable<ListedDocument> documents, Action<int> progress, CancellationToken cancellation)
    {
        var known = index.Documents;
        var seen = new HashSet<string>();
        var kept = 0;
        watch.Start();
        foreach (var document in documents)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!seen.Add(document.Id)) continue;
            if (known.GetValueOrDefault(document.Id) == document.Fingerprint) kept++;
            else Add(document, cancellation);
            progress(seen.Count);
        }
        Flush();
        var gone = known.Keys.Where(id => !seen.Contains(id)).ToList();
        var deleted = gone.Count == 0 ? 0 : index.Delete(gone);
        watch.Stop();
        return new IngestionResult(put, kept, deleted, chunks, watch.Elapsed.TotalSeconds, refused);
    }

    private void Add(ListedDocument document, CancellationToken cancellation)
    {
        try
        {
            List<Passage> cut = [.. chunker.Cut(document.Read(cancellation))];
            // By itself: a picture that cannot be decoded takes no other document with it.
            waiting.Add((document, cut, cut.Exists(chunk => chunk.Picture is not null) ? Encoded(cut) : null));
            waitingChunks += cut.Count;
        }
        catch (Exception error) when (error is UserErrorException or BadSampleException)
        {
            refused.Add((document.Id, error.Message));
        }
        if (waitingChunks >= ChunksInAWrite) Flush();
    }

    private void Flush()
    {
        if (waiting.Count == 0) return;
        var texts = Encoded([.. waiting.Where(item => item.Vectors is null).SelectMany(item => item.Chunks)]);
        var next = 0;
        ReadOnlyMemory<float> VectorOf(IReadOnlyList<float[]>? own, int number) => own is not null ? own[number] : texts is null ? default : texts[next++];
        index.Put([.. waiting.Select(item => new IndexedDocument(item.Document.Id, item.Document.Fingerprint,
            [.. item.Chunks.Select((chunk, number) => new IndexedChunk(chunk.Text, chunk.Place, VectorOf(item.Vectors, number)))]) { Attributes = item.Document.Attributes })]);
        put += waiting.Count;
        chunks += waitingChunks;
        waitingChunks = 0;
        waiting.Clear();
    }

    private IReadOnlyList<float[]>? Encoded(List<Passage> passages)
    {
        watch.Stop();
        try
        {
            return encode?.Invoke(passages);
        }
        finally
        {
            watch.Start();
        }
    }
}
