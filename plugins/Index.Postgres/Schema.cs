using Npgsql;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>The tables of an index, which are in a schema of their own, and how they are written in statements.</summary>
/// <param name="Name">The schema.</param>
/// <param name="Width">Width of the vectors; 0: there are none.</param>
/// <param name="Stem">The statement's part that makes a stem of <c>word</c>.</param>
/// <param name="Vectors">The schema of pgvector; empty: no vectors.</param>
/// <param name="Continues">Whether a search in the graph goes on until enough pass its filter (pgvector 0.8).</param>
internal sealed record Schema(string Name, int Width, string Stem, string Vectors, bool Continues)
{
    public const string NoStems = "none";

    /// <summary>Widest vectors that pgvector makes a graph of.</summary>
    public const int WidestGraph = 2000;

    private const int WidestVector = 16000;

    private static readonly Version FirstToContinue = new(0, 8);

    /// <summary>A table or index.</summary>
    public string this[string table] => $"\"{Name}\".{table}";

    public string VectorType => $"\"{Vectors}\".vector";

    /// <summary>The inner product times -1: pgvector's operators put the least first.</summary>
    public string Distance => $"OPERATOR(\"{Vectors}\".<#>)";

    /// <summary>Keeps other writers out until the transaction's end.</summary>
    public string Own => $"SELECT chunks FROM {this["state"]} FOR UPDATE";

    /// <summary>Makes the tables where they are not there.</summary>
    /// <exception cref="UserErrorException">They were made with other settings, or pgvector is missing.</exception>
    public static Schema Open(Server server, PostgresOptions options, string name, string folder, int width)
    {
        if (options.EfConstruction < 2 * options.M) throw new UserErrorException($"index.postgres: 'efConstruction' ({options.EfConstruction}) is at least twice 'm' ({options.M})");
        if (width > WidestVector) throw new UserErrorException($"index.postgres: pgvector's vectors are {WidestVector} wide at most, and the encoder's are {width}; use index.sqlite");
        if (width > WidestGraph && !options.Exact) throw new UserErrorException($"index.postgres: pgvector makes graphs of vectors up to a width of {WidestGraph}, and the encoder's are {width} wide; set 'exact' to true");
        if (!options.Language.All(letter => letter is >= 'a' and <= 'z' or '_')) throw new UserErrorException($"index.postgres: 'language' is a stemmer's name in small letters, not '{options.Language}'");
        var (vectors, version) = width == 0 ? ("", new Version()) : Extension(server);
        var stem = options.Language == NoStems ? "word" : $"coalesce((ts_lexize('\"{name}\".stem', word))[1], word)";
        var schema = new Schema(name, width, stem, vectors, version >= FirstToContinue);
        // Of two that open a new index at once, one waits for the other.
        server.Write($"SELECT pg_advisory_xact_lock(hashtextextended('{name}', 0))", connection =>
        {
            if (Sql.Rows(connection, "SELECT 1 FROM pg_namespace WHERE nspname = $1", row => 1, name).Count == 0) schema.Make(connection, options, folder);
            schema.Check(connection, options, folder);
            return true;
        });
        return schema;
    }

    private static (string Schema, Version Version) Extension(Server server)
    {
        const string Find = "SELECT nspname, extversion FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'";
        List<(string, string)> Found() => server.Read(connection => Sql.Rows(connection, Find, row => (row.GetString(0), row.GetString(1))));
        var found = Found();
        if (found.Count == 0)
        {
            try
            {
                server.Read(connection => Sql.Run(connection, "CREATE EXTENSION IF NOT EXISTS vector"));
            }
            catch (ServerFailure error) when (error.InnerException is PostgresException said)
            {
                throw new UserErrorException($"index.postgres: the database has no extension 'vector' ({said.MessageText}). Install pgvector on the server (Debian and Ubuntu from apt.postgresql.org: postgresql-17-pgvector, with the server's version for 17; Fedora: pgvector; Homebrew: pgvector), and have a superuser run 'CREATE EXTENSION vector' in the database");
            }
            found = Found();
        }
        var (schema, text) = found[0];
        return (schema, Version.TryParse(text, out var version) ? version : new Version(0, 0));
    }

    private void Make(NpgsqlConnection connection, PostgresOptions options, string folder)
    {
        Sql.Run(connection, $"CREATE SCHEMA \"{Name}\"");
        if (options.Language != NoStems) MakeStems(connection, options.Language);
        string[] statements =
        [
            $"COMMENT ON SCHEMA \"{Name}\" IS 'The index of {folder.Replace("'", "''", StringComparison.Ordinal)} on {Environment.MachineName}. No longer wanted: DROP SCHEMA \"{Name}\" CASCADE'",
            $"CREATE TABLE {this["state"]} (chunks bigint NOT NULL, words bigint NOT NULL, width int NOT NULL, language text NOT NULL)",
            $"CREATE TABLE {this["documents"]} (id text PRIMARY KEY, fingerprint text NOT NULL)",
            $"CREATE TABLE {this["chunks"]} (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document text NOT NULL, place int NOT NULL, title text NOT NULL, text text NOT NULL, attributes jsonb NOT NULL, words int NOT NULL{(Width > 0 ? $", vector {VectorType}({Width}) NOT NULL" : "")})",
            $"CREATE INDEX ON {this["chunks"]} (document)",
            $"CREATE INDEX ON {this["chunks"]} USING gin (attributes jsonb_path_ops)",
            $"CREATE TABLE {this["postings"]} (stem text NOT NULL, chunk bigint NOT NULL, times int NOT NULL, words int NOT NULL, PRIMARY KEY (stem, chunk) INCLUDE (times, words))",
            $"CREATE INDEX ON {this["postings"]} (chunk)",
        ];
        foreach (var statement in statements) Sql.Run(connection, statement);
        Sql.Run(connection, $"INSERT INTO {this["state"]} VALUES (0, 0, $1, $2)", Width, options.Language);
    }

    private void MakeStems(NpgsqlConnection connection, string language)
    {
        try
        {
            Sql.Run(connection, $"CREATE TEXT SEARCH DICTIONARY {this["stem"]} (TEMPLATE = snowball, LANGUAGE = {language})");
        }
        catch (PostgresException error) when (error.SqlState is "42704" or "22023")
        {
            throw new UserErrorException($"index.postgres: the server has no stemmer for 'language' = '{language}' ({error.MessageText}); '{NoStems}' keeps words as they are, and others are called english, german, french, spanish, russian ...");
        }
    }

    private void Check(NpgsqlConnection connection, PostgresOptions options, string folder)
    {
        var (width, language) = Sql.Rows(connection, $"SELECT width, language FROM {this["state"]}", row => (row.GetInt32(0), row.GetString(1)))[0];
        if (width != Width) throw new UserErrorException($"index.postgres: the vectors of {folder} (schema {Name}) are {width} wide, and the encoder's are {Width}: it was made with another encoder; take the folder away, and build the index anew");
        if (language != options.Language) throw new UserErrorException($"index.postgres: the index of {folder} (schema {Name}) was made with 'language' = '{language}'; set it so, or take the folder away and build the index anew");
    }
}
