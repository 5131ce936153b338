namespace PluginHost.Config;

/// <summary>The name that somebody probably meant.</summary>
public static class NearestName
{
    /// <summary>The candidate with the smallest edit distance (a swap of neighbours counts once), or null when none is near.</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        var limit = name.Length switch { <= 2 => 1, <= 5 => 2, _ => Math.Max(3, name.Length / 3) };
        return candidates
            .Where(candidate => Math.Abs(candidate.Length - name.Length) <= limit)
            .Select(candidate => (candidate, distance: Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .Where(pair => pair.distance <= limit && pair.distance < Math.Max(name.Length, pair.candidate.Length))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Select(pair => pair.candidate).FirstOrDefault();
    }

    /// <summary>The end of a message: <c>; did you mean 'dropout'?</c>, or the known names when none is near.</summary>
    public static string Suggestion(string name, IEnumerable<string> candidates)
    {
        var known = candidates.ToArray();
        if (Of(name, known) is { } nearest) return $"; did you mean '{nearest}'?";
        return known.Length == 0 ? "; there is none" : $"; known: {string.Join(", ", known.Order(StringComparer.Ordinal))}";
    }

    // Optimal string alignment over three rows.
    private static int Distance(string a, string b)
    {
        var before = new int[b.Length + 1];
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var row = new int[b.Length + 1];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(Math.Min(row[j - 1], previous[j]) + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = Math.Min(row[j], before[j - 2] + 1);
            }
            (before, previous) = (previous, row);
        }
        return previous[b.Length];
    }
}
