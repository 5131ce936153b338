using Npgsql;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>The greatest inner products: exactly, where few chunks count, else by pgvector's graph.</summary>
internal static class VectorSearch
{
    private const int WidestSearch = 1000; // pgvector's bound of hnsw.ef_search

    public static List<FoundChunk> Find(NpgsqlConnection connection, Schema schema, PostgresOptions options, float[] vector, int count, IReadOnlyDictionary<string, string>? filter)
    {
        var among = filter is { Count: > 0 } ? AttributeJson.Write(filter) : null;
        if (options.Exact || !MayUseGraph(schema, count, among)) return Exact(connection, schema, vector, count, among);
        var (there, graph) = Passing(connection, schema, among, options.ExactUpTo);
        if (there <= options.ExactUpTo || !graph) return Exact(connection, schema, vector, count, among);
        var found = Nearest(connection, schema, options, vector, count, among);
        // A filter that few pass ends the graph's search before there are enough (hnsw.max_scan_tuples).
        return found.Count == count ? found : Exact(connection, schema, vector, count, among);
    }

    /// <summary>The search in the graph. It puts equals in order among those that it has found.</summary>
    public static string InGraph(Schema schema, bool filtered) => $"""
        SELECT {TextSearch.Columns}, -c.distance FROM
          (SELECT c.*, vector {schema.Distance} $1::real[]::{schema.VectorType} AS distance FROM {schema["chunks"]} c{Where(filtered)}
           ORDER BY vector {schema.Distance} $1::real[]::{schema.VectorType} LIMIT $2) AS c ORDER BY c.distance, c.number
        """;

    /// <summary>Has the server take the graph, where it would rather look at all.</summary>
    public static void Prepare(NpgsqlConnection connection, Schema schema, PostgresOptions options, int count)
    {
        Sql.Run(connection, "SELECT set_config('hnsw.ef_search', $1, true), set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)", $"{Math.Clamp(count, options.EfSearch, WidestSearch)}");
        if (schema.Continues) Sql.Run(connection, "SELECT set_config('hnsw.iterative_scan', 'strict_order', true)");
    }

    // Before pgvector 0.8 a graph gives hnsw.ef_search chunks at most, and a filter takes of those.
    private static bool MayUseGraph(Schema schema, int count, string? filter) => schema.Continues || (filter is null && count <= WidestSearch);

    private static (long Chunks, bool Graph) Passing(NpgsqlConnection connection, Schema schema, string? filter, int most)
    {
        var chunks = filter is null ? "s.chunks" : $"(SELECT count(*) FROM (SELECT 1 FROM {schema["chunks"]} WHERE attributes @> $2::jsonb LIMIT $3) AS passing)";
        object[] values = filter is null ? [schema["nearest"]] : [schema["nearest"], filter, most + 1L];
        return Sql.Rows(connection, $"SELECT {chunks}, to_regclass($1) IS NOT NULL FROM {schema["state"]} s", row => (row.GetInt64(0), row.GetBoolean(1)), values)[0];
    }

    private static List<FoundChunk> Nearest(NpgsqlConnection connection, Schema schema, PostgresOptions options, float[] vector, int count, string? filter)
    {
        using var settings = connection.BeginTransaction();
        Prepare(connection, schema, options, count);
        return Run(connection, InGraph(schema, filter is not null), vector, count, filter);
    }

    // The sum is no expression of the graph's, so that the server looks at all.
    private static List<FoundChunk> Exact(NpgsqlConnection connection, Schema schema, float[] vector, int count, string? filter) => Run(connection, $"""
        SELECT {TextSearch.Columns}, -(c.vector {schema.Distance} $1::real[]::{schema.VectorType}) FROM {schema["chunks"]} c{Where(filter is not null)}
        ORDER BY (c.vector {schema.Distance} $1::real[]::{schema.VectorType}) + 0::float8, c.number LIMIT $2
        """, vector, count, filter);

    private static List<FoundChunk> Run(NpgsqlConnection connection, string sql, float[] vector, int count, string? filter) =>
        Sql.Rows(connection, sql, TextSearch.Chunk, filter is null ? [vector, (long)count] : [vector, (long)count, filter]);

    private static string Where(bool filtered) => filtered ? " WHERE c.attributes @> $3::jsonb" : "";
}
