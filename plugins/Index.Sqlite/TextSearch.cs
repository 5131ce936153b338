using System.Text;
using PluginHost.Sdk;

namespace Index.Sqlite;

/// <summary>Searches of the database.</summary>
internal sealed class TextSearch(Database database)
{
    /// <summary>Words of a query that are looked at; a whole page as a query would be a statement without end.</summary>
    private const int MostWords = 256;

    public IReadOnlyList<FoundChunk> Find(string query, int count, IReadOnlyDictionary<string, string>? filter)
    {
        var wanted = Expression(query);
        if (wanted.Length == 0) return [];
        var (condition, values) = Condition(filter, "c.document");
        // Looking up the chunk of each match takes as long as scoring it: only a filter needs that.
        var join = condition.Length == 0 ? "" : " CROSS JOIN chunks c ON c.number = words.rowid";
        return [.. database.Rows(
            $"SELECT words.rowid, bm25(words) AS score FROM words{join} WHERE words MATCH ?{condition} ORDER BY score, words.rowid LIMIT ?",
            row => (Chunk: row.Number(0), Score: -row.Real(1)), [wanted, .. values, (long)count]).Select(item => Chunk(database, item.Chunk, item.Score))];
    }

    /// <summary>The documents that pass a filter.</summary>
    public HashSet<long> Among(IReadOnlyDictionary<string, string> filter)
    {
        var (condition, values) = Condition(filter, "number");
        return [.. database.Rows($"SELECT number FROM documents WHERE 1{condition}", row => row.Number(0), values)];
    }

    public static FoundChunk Chunk(Database database, long number, double score)
    {
        var (found, document) = database.Rows(
            "SELECT d.id, c.place, c.text, c.title, d.number FROM chunks c JOIN documents d ON d.number = c.document WHERE c.number = ?",
            row => (new FoundChunk(row.Text(0), (int)row.Number(1), row.Text(2), row.Text(3), score), row.Number(4)), number)[0];
        var attributes = database.Rows("SELECT name, value FROM attributes WHERE document = ?", row => (Name: row.Text(0), Value: row.Text(1)), document);
        return attributes.Count == 0 ? found : found with { Attributes = attributes.ToDictionary(item => item.Name, item => item.Value) };
    }

    private static (string Sql, object[] Values) Condition(IReadOnlyDictionary<string, string>? filter, string document) => filter is null ? ("", []) : (
        string.Concat(filter.Select(_ => $" AND {document} IN (SELECT document FROM attributes WHERE name = ? AND value = ?)")),
        [.. filter.SelectMany(item => new object[] { item.Key, item.Value })]);

    // Any of the words, each in quotation marks, so that none is an operator.
    private static string Expression(string query)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var rune in query.EnumerateRunes())
            if (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark) word.Append(rune.ToString());
            else End();
        End();
        return string.Join(" OR ", words.Distinct(StringComparer.OrdinalIgnoreCase).Take(MostWords).Select(item => $"\"{item}\""));

        void End()
        {
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }
    }
}
