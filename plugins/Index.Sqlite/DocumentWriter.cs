using PluginHost.Sdk;

namespace Index.Sqlite;

/// <summary>One write, within a transaction, and what it changes in memory once that is on the disk.</summary>
internal sealed class DocumentWriter(Database database, SlotTable slots)
{
    private Queue<int> planned = new();

    public List<int> Released { get; } = [];

    public List<(int Slot, long Chunk, long Document)> Taken { get; } = [];

    public List<(string Id, string Fingerprint)> Added { get; } = [];

    public List<string> Deleted { get; } = [];

    public int ChunksAdded { get; private set; }

    public int ChunksDeleted { get; private set; }

    /// <summary>Slots for the vectors of documents, in their order.</summary>
    public List<(int Slot, ReadOnlyMemory<float> Vector)> Plan(IReadOnlyList<IndexedDocument> documents)
    {
        var vectors = documents.SelectMany(document => document.Chunks).Select(chunk => chunk.Vector).ToList();
        planned = new Queue<int>(slots.Next(vectors.Count));
        return [.. planned.Zip(vectors)];
    }

    public void Put(IReadOnlyList<IndexedDocument> documents, bool vectors)
    {
        foreach (var document in documents)
        {
            Remove(document.Id);
            database.Run("INSERT INTO documents (id, fingerprint) VALUES (?, ?)", document.Id, document.Fingerprint);
            var number = database.LastNumber;
            foreach (var (name, value) in document.Attributes) database.Run("INSERT INTO attributes VALUES (?, ?, ?)", number, name, value);
            for (var place = 0; place < document.Chunks.Count; place++) Add(number, place, document.Chunks[place], vectors);
            Added.Add((document.Id, document.Fingerprint));
        }
    }

    public void Delete(IReadOnlyList<string> ids)
    {
        foreach (var id in ids)
            if (Remove(id)) Deleted.Add(id);
    }

    private void Add(long document, int place, IndexedChunk chunk, bool vectors)
    {
        var slot = vectors ? planned.Dequeue() : -1;
        database.Run("INSERT INTO chunks (document, place, title, text, slot) VALUES (?, ?, ?, ?, ?)", document, place, chunk.Place, chunk.Text, slot);
        var number = database.LastNumber;
        database.Run("INSERT INTO words (rowid, text) VALUES (?, ?)", number, chunk.Text);
        if (vectors) Taken.Add((slot, number, document));
        ChunksAdded++;
    }

    private bool Remove(string id)
    {
        if (database.Rows("SELECT number FROM documents WHERE id = ?", row => row.Number(0), id) is not [var document]) return false;
        foreach (var (chunk, text, slot) in database.Rows("SELECT number, text, slot FROM chunks WHERE document = ?", row => (row.Number(0), row.Text(1), (int)row.Number(2)), document))
        {
            // The words' table keeps no text: it has to be told what to forget.
            database.Run("INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", chunk, text);
            if (slot >= 0) Released.Add(slot);
            ChunksDeleted++;
        }
        database.Run("DELETE FROM chunks WHERE document = ?", document);
        database.Run("DELETE FROM attributes WHERE document = ?", document);
        database.Run("DELETE FROM documents WHERE number = ?", document);
        return true;
    }
}
