using SQLitePCL;
using static SQLitePCL.raw;

namespace Index.Sqlite;

/// <summary>SQLite said no.</summary>
internal sealed class SqliteFailure(int code, string message) : IOException($"SQLite: {message}")
{
    /// <summary>Whether the file is damaged, or no database.</summary>
    public bool Damaged { get; } = (code & 0xFF) is SQLITE_CORRUPT or SQLITE_NOTADB;
}

/// <summary>A connection to a SQLite file; for one thread at a time.</summary>
internal sealed class Database : IDisposable
{
    private readonly sqlite3 handle;
    private readonly Dictionary<string, Statement> statements = [];

    static Database() => Batteries_V2.Init();

    public Database(string file)
    {
        var code = sqlite3_open_v2(file, out handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, null);
        if (code != SQLITE_OK) throw new SqliteFailure(code, sqlite3_errmsg(handle).utf8_to_string());
    }

    /// <summary>Runs statements that have no values.</summary>
    public void Execute(string sql) => Check(sqlite3_exec(handle, sql));

    /// <summary>Runs a statement, and makes something of each row.</summary>
    public List<T> Rows<T>(string sql, Func<Row, T> make, params ReadOnlySpan<object> values)
    {
        var statement = Prepared(sql);
        try
        {
            statement.Bind(this, values);
            var rows = new List<T>();
            int code;
            while ((code = sqlite3_step(statement.Handle)) == SQLITE_ROW) rows.Add(make(new Row(statement.Handle)));
            if (code != SQLITE_DONE) Check(code);
            return rows;
        }
        finally
        {
            _ = sqlite3_reset(statement.Handle);
        }
    }

    /// <summary>Runs a statement that gives no rows.</summary>
    public void Run(string sql, params ReadOnlySpan<object> values) => Rows(sql, _ => 0, values);

    /// <summary>The number that the last insertion got.</summary>
    public long LastNumber => sqlite3_last_insert_rowid(handle);

    /// <summary>Does all of it or nothing.</summary>
    public void Transaction(Action act)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            act();
            Execute("COMMIT");
        }
        catch
        {
            if (sqlite3_get_autocommit(handle) == 0) _ = sqlite3_exec(handle, "ROLLBACK");
            throw;
        }
    }

    public void Check(int code)
    {
        if (code is not SQLITE_OK) throw new SqliteFailure(code, sqlite3_errmsg(handle).utf8_to_string());
    }

    public void Dispose()
    {
        foreach (var statement in statements.Values) statement.Handle.Dispose();
        statements.Clear();
        handle.Dispose();
    }

    private Statement Prepared(string sql)
    {
        if (statements.TryGetValue(sql, out var known)) return known;
        Check(sqlite3_prepare_v2(handle, sql, out var prepared));
        return statements[sql] = new Statement(prepared);
    }

    private sealed record Statement(sqlite3_stmt Handle)
    {
        public void Bind(Database database, ReadOnlySpan<object> values)
        {
            for (var i = 0; i < values.Length; i++)
                database.Check(values[i] switch
                {
                    string text => sqlite3_bind_text(Handle, i + 1, text),
                    long number => sqlite3_bind_int64(Handle, i + 1, number),
                    int number => sqlite3_bind_int64(Handle, i + 1, number),
                    var other => throw new NotSupportedException($"SQLite takes no {other.GetType().Name} here."),
                });
        }
    }
}

/// <summary>A row of a result, until the next one is read.</summary>
internal readonly struct Row(sqlite3_stmt statement)
{
    public string Text(int column) => sqlite3_column_text(statement, column).utf8_to_string() ?? "";

    public long Number(int column) => sqlite3_column_int64(statement, column);

    public double Real(int column) => sqlite3_column_double(statement, column);
}
