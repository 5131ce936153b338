using Npgsql;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>One write, within a transaction that keeps other writers out.</summary>
internal sealed class DocumentWriter(NpgsqlConnection connection, Schema schema, PostgresOptions options)
{
    /// <summary>Statements that go to the server at once.</summary>
    private const int InABatch = 200;

    public void Put(IReadOnlyList<IndexedDocument> documents)
    {
        Delete([.. documents.Select(document => document.Id)]);
        Sql.Run(connection, $"INSERT INTO {schema["documents"]} SELECT * FROM unnest($1, $2)", documents.Select(document => document.Id).ToArray(), documents.Select(document => document.Fingerprint).ToArray());
        var (chunks, words) = (0L, 0L);
        foreach (var batch in documents.SelectMany(Chunks).Chunk(InABatch))
        {
            using var commands = new NpgsqlBatch(connection);
            foreach (var (command, length) in batch)
            {
                commands.BatchCommands.Add(command);
                (chunks, words) = (chunks + 1, words + length);
            }
            commands.ExecuteNonQuery();
        }
        Count(chunks, words);
        Connect();
    }

    /// <summary>Gives how many of the documents were there.</summary>
    public int Delete(string[] ids)
    {
        var (chunks, words) = Sql.Rows(connection, $"""
            WITH gone AS (DELETE FROM {schema["chunks"]} WHERE document = ANY($1) RETURNING number, words),
                 postings AS (DELETE FROM {schema["postings"]} WHERE chunk IN (SELECT number FROM gone))
            SELECT count(*), coalesce(sum(words), 0) FROM gone
            """, row => (row.GetInt64(0), row.GetInt64(1)), [ids])[0];
        Count(-chunks, -words);
        return Sql.Run(connection, $"DELETE FROM {schema["documents"]} WHERE id = ANY($1)", [ids]);
    }

    private IEnumerable<(NpgsqlBatchCommand Command, int Words)> Chunks(IndexedDocument document)
    {
        var attributes = AttributeJson.Write(document.Attributes);
        return document.Chunks.Select((chunk, place) => Chunk(document.Id, place, chunk, attributes));
    }

    private (NpgsqlBatchCommand Command, int Words) Chunk(string document, int place, IndexedChunk chunk, string attributes)
    {
        var counts = WordCount.Of(chunk.Text);
        var words = counts.Values.Sum();
        var (column, value) = schema.Width > 0 ? (", vector", $", $9::real[]::{schema.VectorType}") : ("", "");
        var command = new NpgsqlBatchCommand($"""
            WITH chunk AS (INSERT INTO {schema["chunks"]} (document, place, title, text, attributes, words{column}) VALUES ($1, $2, $3, $4, $5::jsonb, $6{value}) RETURNING number)
            INSERT INTO {schema["postings"]} (stem, chunk, times, words)
            SELECT stem, (SELECT number FROM chunk), sum(times), $6 FROM (SELECT {schema.Stem} AS stem, times FROM unnest($7, $8) AS given (word, times)) AS stems GROUP BY stem
            """);
        foreach (var given in new object[] { document, place, Sql.Storable(chunk.Place), Sql.Storable(chunk.Text), attributes, words, counts.Keys.ToArray(), counts.Values.ToArray() })
            command.Parameters.Add(new NpgsqlParameter { Value = given });
        if (schema.Width > 0) command.Parameters.Add(new NpgsqlParameter { Value = chunk.Vector.ToArray() });
        return (command, words);
    }

    private void Count(long chunks, long words) => Sql.Run(connection, $"UPDATE {schema["state"]} SET chunks = chunks + $1, words = words + $2", chunks, words);

    // A graph that is made over many chunks at once costs less than one that grows with each: it is made when there are more than are searched exactly.
    private void Connect()
    {
        if (schema.Width == 0 || options.Exact) return;
        var (many, there) = Sql.Rows(connection, $"SELECT chunks > $1, to_regclass($2) IS NOT NULL FROM {schema["state"]}", row => (row.GetBoolean(0), row.GetBoolean(1)), (long)options.ExactUpTo, schema["nearest"])[0];
        if (!many || there) return;
        using var command = Sql.Command(connection, $"CREATE INDEX nearest ON {schema["chunks"]} USING hnsw (vector \"{schema.Vectors}\".vector_ip_ops) WITH (m = {options.M}, ef_construction = {options.EfConstruction})");
        command.CommandTimeout = 0;
        command.ExecuteNonQuery();
    }
}
