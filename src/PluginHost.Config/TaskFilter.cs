namespace PluginHost.Config;

/// <summary>Which turns a stage or an evaluation is about.</summary>
public static class TaskFilter
{
    /// <summary>Whether a task is among the patterns; a trailing <c>*</c> matches any ending, no pattern at all matches everything.</summary>
    public static bool Matches(IReadOnlyList<string> patterns, string task) =>
        patterns.Count == 0 || patterns.Any(pattern => Matches(pattern, task));

    /// <summary>How likely a turn of a task is drawn, against 1 for one that no pattern matches.</summary>
    public static double WeightOf(IReadOnlyList<TaskWeight> weights, string task)
    {
        foreach (var weight in weights)
            if (Matches(weight.Pattern, task)) return weight.Weight;
        return 1;
    }

    private static bool Matches(string pattern, string task) =>
        pattern.EndsWith('*') ? task.StartsWith(pattern[..^1], StringComparison.Ordinal) : task == pattern;
}

/// <summary>How likely turns of some tasks are drawn.</summary>
/// <param name="Pattern">A task; a trailing <c>*</c> matches any ending.</param>
/// <param name="Weight">Against 1 for all others.</param>
public sealed record TaskWeight(string Pattern, double Weight);
