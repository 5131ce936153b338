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
        // Sums are taken in the words' order, so that chunks of the same words have the same score to the last bit.
        return Sql.Rows(connection, $"""
            WITH wanted AS (SELECT DISTINCT {schema.Stem} AS stem FROM unnest($1) AS given (word)),
                 hits AS (SELECT stem, chunk, times, words, count(*) OVER (PARTITION BY stem) AS spread FROM {schema["postings"]} WHERE stem IN (SELECT stem FROM wanted)),
                 best AS (SELECT h.chunk, sum(ln(1 + (s.chunks - h.spread + 0.5::float8) / (h.spread + 0.5::float8)) * h.times * 2.2::float8
                                              / (h.times + 1.2::float8 * (0.25::float8 + 0.75::float8 * h.words * s.chunks / s.words)) ORDER BY h.stem) AS score
                          FROM hits h CROSS JOIN {schema["state"]} s{(among ? $" JOIN {schema["chunks"]} c ON c.number = h.chunk AND c.attributes @> $3::jsonb" : "")}
                          GROUP BY h.chunk ORDER BY score DESC, h.chunk LIMIT $2)
            SELECT {Columns}, b.score FROM best b JOIN {schema["chunks"]} c ON c.number = b.chunk ORDER BY b.score DESC, b.chunk
            """, Chunk, among ? [words, (long)count, AttributeJson.Write(filter!)] : [words, (long)count]);
    }

    public static FoundChunk Chunk(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetDouble(5))
    {
        Attributes = AttributeJson.Read(row.GetString(4)),
    };
}
