namespace PluginHost.Config;

/// <summary>Which turns a stage or an evaluation is about.</summary>
public static class TaskFilter
{
    /// <summary>Whether a task is among the patterns; a trailing <c>*</c> matches any ending, no pattern at all matches everything.</summary>
    public static bool Matches(IReadOnlyList<string> patterns, string task) =>
        patterns.Count == 0 || patterns.Any(pattern => pattern.EndsWith('*')
            ? task.StartsWith(pattern[..^1], StringComparison.Ordinal)
            : task == pattern);
}
