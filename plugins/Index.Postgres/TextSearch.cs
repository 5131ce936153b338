using Npgsql;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>BM25 over the postings, in one statement: what it sees is of one moment.</summary>
internal static class TextSearch
{
    /// <summary>Columns that <see cref="Chunk"/> reads.</summary>
    public const string Columns = "c.document, c.place, c.text, c.title, c.attributes::text";

    /// <summary>Words of a query that are looked at.</summary>
    private const int MostWords = 256;

    public static List<FoundChunk> Find(NpgsqlConnection connection, Schema schema, string query, int count, IReadOnlyDictionary<string, string>? filter)
    {
        string[] words = [.. WordCount.Of(query).Keys.Take(MostWords)];
        if (words.Length == 0) return [];
        var among = filter is { Count: > 0 };
        string[] stems = [.. Sql.Rows(connection, $"SELECT DISTINCT {schema.Stem} FROM unnest($1) AS given (word)", row => row.GetString(0), [words])];
        // The terms are whole multiples of 1e-11, whose sums are exact: chunks of the same words have the same score, in whatever order they are added.
        // A limit of one row tells the planner what it cannot know of a table that is never analysed; otherwise it compiles the statement, which takes longer than the search.
        return Sql.Rows(connection, $"""
            WITH s AS (SELECT chunks, words::float8 / greatest(chunks, 1) AS mean FROM {schema["state"]} LIMIT 1),
                 hits AS MATERIALIZED (SELECT stem, chunk, times, words FROM {schema["postings"]} WHERE stem = ANY($1)),
                 weights AS MATERIALIZED (SELECT stem, ln(1 + ((SELECT chunks FROM s) - count(*) + 0.5::float8) / (count(*) + 0.5::float8)) AS weight FROM hits GROUP BY stem),
                 best AS (SELECT h.chunk, sum(round(1e11::float8 * weight * h.times * 2.2::float8 / (h.times + 1.2::float8 * (0.25::float8 + 0.75::float8 * h.words / (SELECT mean FROM s))))) / 1e11::float8 AS score
                          FROM hits h JOIN weights USING (stem){(among ? $" JOIN {schema["chunks"]} c ON c.number = h.chunk AND c.attributes @> $3::jsonb" : "")}
                          GROUP BY h.chunk ORDER BY score DESC, h.chunk LIMIT $2)
            SELECT {Columns}, b.score FROM best b JOIN {schema["chunks"]} c ON c.number = b.chunk ORDER BY b.score DESC, b.chunk
            """, Chunk, among ? [stems, (long)count, AttributeJson.Write(filter!)] : [stems, (long)count]);
    }

    public static FoundChunk Chunk(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetDouble(5))
    {
        Attributes = AttributeJson.Read(row.GetString(4)),
    };
}
