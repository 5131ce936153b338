namespace Template.Library;

/// <summary>The name that somebody probably meant.</summary>
internal static class Nearest
{
    /// <summary>The end of a message: <c>; did you mean 'answer'?</c>, or the known names when none is near.</summary>
    public static string Suggestion(string name, IEnumerable<string> known)
    {
        var names = known.ToArray();
        var nearest = names.Select(candidate => (candidate, Distance: Distance(name, candidate))).Where(item => item.Distance <= Math.Max(1, name.Length / 3)).OrderBy(item => item.Distance).FirstOrDefault();
        return nearest.candidate is { } meant ? $"; did you mean '{meant}'?" : $"; known: {(names.Length == 0 ? "none" : string.Join(", ", names))}";
    }

    // Levenshtein over one row.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[b.Length];
    }
}
