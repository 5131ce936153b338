using Microsoft.Data.Sqlite;
using PluginHost.Sdk;

namespace PluginHost.Serving;

/// <summary>A SQLite file of one server's: what a call has written is on the disk when it returns, whole or not at all. Safe for concurrent use.</summary>
internal sealed class SqliteFile : IDisposable
{
    private readonly Lock gate = new();
    private readonly FileStream owner;
    private readonly SqliteConnection connection;

    /// <param name="file">The file; it is made when it is not there.</param>
    /// <param name="what">What it holds, for messages: <c>documents</c>.</param>
    /// <param name="elsewhere">What to do where another server has it: <c>give this one a folder of its own</c>.</param>
    /// <param name="schema">Makes its tables where they are not there.</param>
    /// <param name="mostPages">Most pages of 4 KB that it may grow to, as on a small disk; 0: what the disk has.</param>
    /// <exception cref="UserErrorException">Another server has it, or it is damaged; it is left as it is.</exception>
    public SqliteFile(string file, string what, string elsewhere, string schema, int mostPages)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        owner = Own(file, what, elsewhere);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        try
        {
            connection.Open();
            // Opening reads only the first page: a file that lost its end would be found out in the middle of a day.
            if (Read("PRAGMA quick_check(1)", row => row.GetString(0))[0] is not "ok" and var mistake) throw Damaged(file, what, mistake);
            if (mostPages > 0) Execute($"PRAGMA max_page_count = {mostPages}");
            // What has been acknowledged is a promise: it is kept through a power failure.
            Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
            Execute(schema);
        }
        catch (SqliteException error)
        {
            Dispose();
            throw Damaged(file, what, error.Message);
        }
        catch (UserErrorException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Rows of a query.</summary>
    public List<T> Read<T>(string sql, Func<SqliteDataReader, T> read, params (string Name, object? Value)[] values)
    {
        lock (gate)
        {
            using var command = Command(sql, values);
            using var rows = command.ExecuteReader();
            var all = new List<T>();
            while (rows.Read()) all.Add(read(rows));
            return all;
        }
    }

    /// <summary>Runs a statement, and says how many rows it changed.</summary>
    public int Execute(string sql, params (string Name, object? Value)[] values)
    {
        lock (gate)
        {
            using var command = Command(sql, values);
            return command.ExecuteNonQuery();
        }
    }

    /// <summary>Does all of it or nothing, with nobody in between.</summary>
    public T Whole<T>(Func<T> act)
    {
        lock (gate)
        {
            using var transaction = connection.BeginTransaction();
            var result = act();
            transaction.Commit();
            return result;
        }
    }

    public void Dispose()
    {
        lock (gate) connection.Dispose(); // not in the middle of somebody's transaction
        owner.Dispose();
    }

    private SqliteCommand Command(string sql, (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    private static UserErrorException Damaged(string file, string what, string reason) =>
        new($"{file} is damaged, or no file of {what} ({reason}); move it away, or restore it: it is left as it is");

    private static FileStream Own(string file, string what, string elsewhere)
    {
        try
        {
            return new FileStream(file + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new UserErrorException($"another server has the {what} in {file}; stop it, or {elsewhere}");
        }
    }
}
