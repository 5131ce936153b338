using Npgsql;

namespace Index.Postgres;

/// <summary>Statements with values for $1, $2 and on.</summary>
internal static class Sql
{
    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    /// <summary>Gives how many rows were changed.</summary>
    public static int Run(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteNonQuery();
    }

    public static List<T> Rows<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> make, params ReadOnlySpan<object> values)
    {
        using var command = Command(connection, sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(make(reader));
        return rows;
    }

    /// <summary>What a database can keep: PostgreSQL has no NUL in texts, and no halves of letters.</summary>
    public static string Storable(string text) => IsStorable(text) ? text : string.Concat(text.EnumerateRunes().Select(rune => rune.Value == 0 ? "\uFFFD" : rune.ToString()));

    public static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (text[i] == 0 || (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))) return false;
        return true;
    }
}
