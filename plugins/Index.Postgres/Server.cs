using System.Reflection;
using Npgsql;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>The server could not do what was asked; the message names the server and says what to do.</summary>
internal sealed class ServerFailure(string message, Exception cause) : IOException(message, cause);

/// <summary>Connections to a database. Safe for concurrent use.</summary>
internal sealed class Server : IDisposable
{
    private readonly NpgsqlDataSource source;
    private readonly string place;
    private readonly PostgresOptions options;

    // Npgsql's meter stands in a list of the whole process with what it would call for its figures, and so would keep the plugin in memory. It is asked for nothing here.
    static Server() => (typeof(NpgsqlConnection).Assembly.GetType("Npgsql.MetricsReporter")?.GetField("Meter", BindingFlags.Static | BindingFlags.NonPublic)?.GetValue(null) as IDisposable)?.Dispose();

    /// <exception cref="UserErrorException">The settings say no server.</exception>
    public Server(PostgresOptions options)
    {
        this.options = options;
        var connection = Connection(options);
        place = $"{connection.Host}:{connection.Port}/{connection.Database}";
        var builder = new NpgsqlSlimDataSourceBuilder(connection.ConnectionString);
        builder.EnableTransportSecurity();
        builder.EnableArrays();
        source = builder.Build();
    }

    /// <summary>Reads; once more where the connection was lost.</summary>
    public T Read<T>(Func<NpgsqlConnection, T> act)
    {
        try
        {
            try
            {
                using var connection = source.OpenConnection();
                return act(connection);
            }
            catch (NpgsqlException error) when (Lost(error))
            {
                source.Clear();
                using var connection = source.OpenConnection();
                return act(connection);
            }
        }
        catch (NpgsqlException error)
        {
            throw Failure(error);
        }
    }

    /// <summary>
    /// Writes in one transaction, whole or not at all; what it has returned from is on the server's disk, whatever the server is set to. Where the connection was lost before the transaction had begun it begins anew;
    /// where it is lost later it throws, and the write is there whole or not at all.
    /// </summary>
    /// <param name="begin">The statement that keeps other writers out.</param>
    /// <param name="act">What is done.</param>
    public T Write<T>(string begin, Func<NpgsqlConnection, T> act)
    {
        try
        {
            using var connection = Begin(begin, out var transaction);
            using (transaction)
            {
                var done = act(connection);
                transaction.Commit();
                return done;
            }
        }
        catch (NpgsqlException error)
        {
            throw Failure(error);
        }
    }

    public void Dispose() => source.Dispose();

    private NpgsqlConnection Begin(string begin, out NpgsqlTransaction transaction)
    {
        for (var first = true; ; first = false)
        {
            var connection = source.OpenConnection();
            try
            {
                transaction = connection.BeginTransaction();
                Sql.Run(connection, "SELECT set_config('synchronous_commit', 'on', true)");
                Sql.Run(connection, begin);
                return connection;
            }
            catch (NpgsqlException error) when (first && Lost(error))
            {
                connection.Dispose();
                source.Clear();
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        }
    }

    // The server has ended, or closes the connection on its way down (57P01 to 57P03).
    private static bool Lost(NpgsqlException error) => error is PostgresException said ? said.SqlState.StartsWith("57P", StringComparison.Ordinal) : error.InnerException is IOException;

    private ServerFailure Failure(NpgsqlException error) => new($"index.postgres: {place}: " + (error switch
    {
        PostgresException { SqlState: "28P01" or "28000" } said => $"{said.MessageText}; {Password()}, or have the server's pg_hba.conf let the user in",
        PostgresException { SqlState: "3D000" } said => $"{said.MessageText}; make it with 'createdb', or name another in 'database'",
        PostgresException { SqlState: "42501" } said => $"{said.MessageText}; grant it: GRANT CREATE ON DATABASE ... TO ...",
        PostgresException { SqlState: "53300" } said => $"{said.MessageText}; raise the server's max_connections, or lower 'connections' ({options.Connections})",
        PostgresException { SqlState: "57014" } => $"a statement has not ended within {options.StatementSeconds} s; raise 'statementSeconds', or see what the server is busy with (pg_stat_activity)",
        PostgresException said => $"{said.MessageText} ({said.SqlState})",
        { InnerException: TimeoutException } => $"no answer in time; see whether the server is well, or raise 'connectSeconds' ({options.ConnectSeconds}) or 'statementSeconds' ({options.StatementSeconds})",
        { InnerException: null } when error.Message.Contains("password", StringComparison.OrdinalIgnoreCase) => $"{error.Message}; {Password()}",
        _ => $"{(error.InnerException ?? error).Message}; start the server, or say in 'host' and 'port' or in the connection string where it is",
    }), error);

    private string Password() => options.ConnectionVariable.Length > 0
        ? $"put the password into the connection string in {options.ConnectionVariable}" : $"put the password of '{options.User}' into the environment variable {options.PasswordVariable}";

    private static NpgsqlConnectionStringBuilder Connection(PostgresOptions options)
    {
        var given = Given(options);
        given.MaxPoolSize = options.Connections;
        given.MinPoolSize = 0;
        given.Timeout = options.ConnectSeconds;
        given.CommandTimeout = options.StatementSeconds;
        given.ApplicationName ??= "pluginhost";
        given.TcpKeepAlive = true;
        return given;
    }

    private static NpgsqlConnectionStringBuilder Given(PostgresOptions options)
    {
        if (options.ConnectionVariable.Length == 0)
            return new() { Host = options.Host, Port = options.Port, Database = options.Database, Username = options.User, Password = Environment.GetEnvironmentVariable(options.PasswordVariable) };
        var text = Environment.GetEnvironmentVariable(options.ConnectionVariable)
            ?? throw new UserErrorException($"index.postgres: the environment variable {options.ConnectionVariable}, which 'connectionVariable' names, is not set; set it, or give 'host', 'database' and 'user' instead");
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(text);
            return builder is { Host.Length: > 0, Database.Length: > 0 } ? builder : throw new ArgumentException("Host and Database are needed.");
        }
        catch (Exception error) when (error is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException)
        {
            // The message could repeat what stands there, and so a password.
            throw new UserErrorException($"index.postgres: the environment variable {options.ConnectionVariable} has no connection string; it looks like this: Host=db;Port=5432;Database=documents;Username=host;Password=...");
        }
    }
}
