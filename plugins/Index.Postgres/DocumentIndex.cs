using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>The index of a schema. Nothing is kept in memory: several hosts may read and write it, and each sees what the others have written.</summary>
internal sealed class DocumentIndex : IDocumentIndex
{
    private readonly Server server;
    private readonly Schema schema;
    private readonly PostgresOptions options;

    private DocumentIndex(Server server, Schema schema, PostgresOptions options) => (this.server, this.schema, this.options) = (server, schema, options);

    /// <exception cref="UserErrorException">The server cannot be reached, or does not do it; or the index was made with other settings.</exception>
    public static DocumentIndex Open(PostgresOptions options, string folder, int width)
    {
        var server = new Server(options);
        try
        {
            return new DocumentIndex(server, Schema.Open(server, options, IndexName.Of(folder, options.Prefix), folder, width), options);
        }
        catch (ServerFailure failure)
        {
            server.Dispose();
            throw new UserErrorException(failure.Message);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public int Chunks => server.Read(connection => Sql.Rows(connection, $"SELECT chunks FROM {schema["state"]}", row => checked((int)row.GetInt64(0)))[0]);

    public IReadOnlyDictionary<string, string> Documents => server.Read(connection =>
        Sql.Rows(connection, $"SELECT id, fingerprint FROM {schema["documents"]}", row => (Id: row.GetString(0), Fingerprint: row.GetString(1))).ToDictionary(item => item.Id, item => item.Fingerprint));

    public void Put(IReadOnlyList<IndexedDocument> documents)
    {
        foreach (var document in documents) Check(document);
        // Of two with one id in one write the later one counts, as in two writes.
        IndexedDocument[] wanted = [.. documents.GroupBy(document => document.Id).Select(group => group.Last())];
        server.Write(schema.Own, connection =>
        {
            new DocumentWriter(connection, schema, options).Put(wanted);
            return true;
        });
    }

    public int Delete(IReadOnlyList<string> ids)
    {
        // An id that cannot be kept is not there.
        string[] wanted = [.. ids.Where(Sql.IsStorable)];
        return server.Write(schema.Own, connection => new DocumentWriter(connection, schema, options).Delete(wanted));
    }

    public IReadOnlyList<FoundChunk> SearchText(string query, int count, IReadOnlyDictionary<string, string>? filter = null) =>
        count <= 0 || !CanPass(filter) ? [] : server.Read(connection => TextSearch.Find(connection, schema, query, count, filter));

    public IReadOnlyList<FoundChunk> SearchVector(ReadOnlyMemory<float> vector, int count, IReadOnlyDictionary<string, string>? filter = null)
    {
        if (vector.Length != schema.Width) throw new ArgumentException($"The vector is {vector.Length} wide, and those of the index are {schema.Width}.", nameof(vector));
        return count <= 0 || schema.Width == 0 || !CanPass(filter) ? [] : server.Read(connection => VectorSearch.Find(connection, schema, options, vector.ToArray(), count, filter));
    }

    public void Dispose() => server.Dispose();

    // Nothing has an attribute that cannot be kept.
    private static bool CanPass(IReadOnlyDictionary<string, string>? filter) => filter is null || filter.All(item => Sql.IsStorable(item.Key) && Sql.IsStorable(item.Value));

    private void Check(IndexedDocument document)
    {
        foreach (var text in document.Attributes.SelectMany(item => new[] { item.Key, item.Value }).Prepend(document.Id).Append(document.Fingerprint))
            if (!Sql.IsStorable(text)) throw new ArgumentException($"The id, the fingerprint or an attribute of '{document.Id}' has a NUL or half a letter, which PostgreSQL cannot keep.", nameof(document));
        foreach (var chunk in document.Chunks)
        {
            if (chunk.Vector.Length != schema.Width) throw new ArgumentException($"A vector of '{document.Id}' is {chunk.Vector.Length} wide, and those of the index are {schema.Width}.", nameof(document));
            foreach (var value in chunk.Vector.Span)
                if (!float.IsFinite(value)) throw new ArgumentException($"A vector of '{document.Id}' is not finite.", nameof(document));
        }
    }
}
