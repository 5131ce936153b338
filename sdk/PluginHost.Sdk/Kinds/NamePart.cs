using System.IO.Enumeration;

namespace PluginHost.Sdk;

/// <summary>Dotted names by their parts, as PEFT's <c>target_modules</c> and <c>modules_to_save</c> have them.</summary>
public static class NamePart
{
    /// <summary>Whether a target is a name, its end after a dot, or with <c>*</c> a pattern of the whole name.</summary>
    public static bool Matches(string target, string name) =>
        Pattern(target, name) ?? (name == target || name.EndsWith("." + target, StringComparison.Ordinal));

    /// <summary>Whether a module's name is a run of whole parts of a name, or with <c>*</c> a pattern of it.</summary>
    public static bool Contains(string module, string name) =>
        Pattern(module, name) ?? $".{name}.".Contains($".{module}.", StringComparison.Ordinal);

    /// <summary>The end of a message: the part of a name that somebody probably meant, or the last parts that there are.</summary>
    public static string Nearest(string wanted, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var known = names.ToList();
        // The target may be any number of parts.
        var ends = known.SelectMany(name => name.Split('.') is var parts ? Enumerable.Range(0, parts.Length).Select(i => string.Join('.', parts[i..])) : []);
        var nearest = ends.Concat(known.SelectMany(name => name.Split('.'))).Distinct().Select(end => (Name: end, Distance: Distance(wanted, end)))
            .OrderBy(pair => pair.Distance).FirstOrDefault();
        if (nearest.Name is not null && nearest.Distance <= Math.Max(2, wanted.Length / 3)) return $"did you mean '{nearest.Name}'?";
        return known.Count == 0 ? "there are none" : $"known: {string.Join(", ", known.Select(name => name[(name.LastIndexOf('.') + 1)..]).Distinct().Take(20))}";
    }

    private static bool? Pattern(string pattern, string name) => pattern.Contains('*', StringComparison.Ordinal) ? FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false) : null;

    // Levenshtein's, over one row.
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
        return row[^1];
    }
}
