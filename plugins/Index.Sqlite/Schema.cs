using System.Globalization;
using PluginHost.Sdk;

namespace Index.Sqlite;

/// <summary>Opens the database of a folder, and makes its tables.</summary>
internal static class Schema
{
    /// <exception cref="UserErrorException">It is damaged, or was made with other settings.</exception>
    public static Database Open(string file, int width, bool stem)
    {
        Database? database = null;
        try
        {
            database = new Database(file);
            // What has been acknowledged survives a power failure.
            database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;");
            database.Transaction(() => Make(database, width, stem));
            Check(database, file, width, stem);
            return database;
        }
        catch (SqliteFailure error)
        {
            database?.Dispose();
            throw error.Damaged ? new UserErrorException($"index.sqlite: {file} is damaged ({error.Message}): take it away with the files beside it, and build the index anew") : error;
        }
        catch
        {
            database?.Dispose();
            throw;
        }
    }

    private static void Make(Database database, int width, bool stem)
    {
        database.Execute($"""
            CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            INSERT OR IGNORE INTO settings VALUES ('width', '{width}'), ('stem', '{stem}');
            CREATE TABLE IF NOT EXISTS documents (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS attributes (document INTEGER NOT NULL REFERENCES documents (number), name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, value, document)) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS attributesOfDocuments ON attributes (document);
            CREATE TABLE IF NOT EXISTS chunks (number INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents (number), place INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, slot INTEGER NOT NULL);
            CREATE INDEX IF NOT EXISTS chunksOfDocuments ON chunks (document);
            CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, content = 'chunks', content_rowid = 'number', tokenize = '{(stem ? "porter " : "")}unicode61');
            """);
    }

    private static void Check(Database database, string file, int width, bool stem)
    {
        string Setting(string name) => database.Rows("SELECT value FROM settings WHERE name = ?", row => row.Text(0), name)[0];
        var kept = int.Parse(Setting("width"), CultureInfo.InvariantCulture);
        if (kept != width) throw new UserErrorException($"index.sqlite: the vectors of {file} are {kept} wide, and the encoder's are {width}: it was made with another encoder; take it away, and build it anew");
        if (Setting("stem") != stem.ToString()) throw new UserErrorException($"index.sqlite: {file} was made with 'stem' = {Setting("stem").ToLowerInvariant()}; set it so, or take the index away and build it anew");
    }
}
