// Documents in a PostgreSQL database: words in a table of postings, over which BM25 (Robertson et al. 1994, k1 = 1.2, b = 0.75) is computed in SQL, and vectors by pgvector, exactly or by its HNSW
// graph (Malkov & Yashunin 2016). PostgreSQL's own ts_rank knows no document frequencies: it is no BM25, and no text search of its own is used but its stemmer.
// score(chunk) = sum over the query's words of ln(1 + (N - n + 0.5) / (n + 0.5)) * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length)).
// Vectors go over the wire as real[], which pgvector casts: its .NET types would add nothing.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>Settings of <see cref="PostgresIndex"/>. No password stands here: settings are logged and shown.</summary>
/// <param name="ConnectionVariable">Environment variable with a whole connection string.</param>
/// <param name="Host">The server.</param>
/// <param name="Port">Its port.</param>
/// <param name="Database">The database.</param>
/// <param name="User">Who connects.</param>
/// <param name="PasswordVariable">Environment variable with the password.</param>
/// <param name="Prefix">Of the names of schemas.</param>
/// <param name="Language">Of the stems.</param>
/// <param name="Exact">Whether no graph is made or used.</param>
/// <param name="ExactUpTo">Chunks that are searched exactly.</param>
/// <param name="M">Neighbours in the graph.</param>
/// <param name="EfConstruction">Candidates when the graph is made.</param>
/// <param name="EfSearch">Candidates when it is searched.</param>
/// <param name="Connections">At the same time.</param>
/// <param name="ConnectSeconds">Until a connection stands.</param>
/// <param name="StatementSeconds">Until a statement has answered.</param>
public sealed record PostgresOptions(
    [property: Description("Name of an environment variable that has a whole connection string ('Host=db;Database=documents;Username=host;Password=...;SSL Mode=VerifyFull'); where it is given, host, port, database, user and passwordVariable do not count.")] string ConnectionVariable = "",
    [property: Description("Name or address of the server, or the folder of its socket.")] string Host = "localhost",
    [property: Range(1, 65535), Description("Port of the server.")] int Port = 5432,
    [property: Description("Name of the database; it has to be there.")] string Database = "pluginhost",
    [property: Description("Name of the database's user, who may make schemas in it.")] string User = "pluginhost",
    [property: Description("Name of the environment variable that has the password; where that is not set, the server is asked without one (or with that of ~/.pgpass).")] string PasswordVariable = "PGPASSWORD",
    [property: Description("What the names of the indexes' schemas begin with: small letters, digits and '_', 40 at most.")] string Prefix = "pluginhost",
    [property: Description("Language whose Snowball stemmer reduces words, so that 'dogs' finds 'dog', as PostgreSQL names it; 'none': words stay as they are. Fixed when an index is made.")] string Language = "english",
    [property: Description("Whether vectors are always searched exactly, without a graph: slower with many, and nothing is missed.")] bool Exact = false,
    [property: Range(0, 100_000_000), Description("Up to as many chunks (or as many that pass a filter) are searched exactly; with more, the HNSW graph is made and searched, which may miss some.")] int ExactUpTo = 20_000,
    [property: Range(2, 100), Description("Neighbours of a chunk in the HNSW graph (pgvector's m). Counts when the graph is made.")] int M = 16,
    [property: Range(4, 1000), Description("Candidates for neighbours while the graph is made (pgvector's ef_construction); at least 2 * m. Counts when the graph is made.")] int EfConstruction = 64,
    [property: Range(1, 1000), Description("Candidates of a search in the graph (pgvector's hnsw.ef_search): more find more and take longer. A search for more chunks than this takes as many as it asks for.")] int EfSearch = 100,
    [property: Range(1, 1000), Description("Connections to the server at most.")] int Connections = 20,
    [property: Range(1, 3600), Description("Seconds until a connection has to stand.")] int ConnectSeconds = 15,
    [property: Range(1, 86400), Description("Seconds within which the server has to answer a statement; only the making of the graph may take as long as it takes.")] int StatementSeconds = 120);

/// <summary>An index in a PostgreSQL database.</summary>
[Plugin("index.postgres", "Documents in a PostgreSQL database: BM25 in SQL, and vectors by pgvector, exact or by its HNSW graph.")]
public sealed class PostgresIndex(PostgresOptions options) : IIndexPlugin
{
    /// <inheritdoc/>
    public IDocumentIndex Open(IndexContext context) => DocumentIndex.Open(options, context.Folder, context.Width);
}
