using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Evaluation;

/// <summary>A query and the texts that answer it.</summary>
/// <param name="Task">Its task.</param>
/// <param name="Text">The query.</param>
/// <param name="Right">All texts that answer it.</param>
public sealed record RatedQuery(string Task, string Text, IReadOnlySet<string> Right)
{
    /// <summary>The turns of a split as queries: turns of one sample with one task and prompt are one query.</summary>
    /// <param name="source">The samples.</param>
    /// <param name="split">The split.</param>
    /// <param name="tasks">Patterns of tasks; empty: all.</param>
    /// <param name="limit">Queries of each task at most, the first ones.</param>
    public static IReadOnlyList<RatedQuery> Of(ISource source, string split, IReadOnlyList<string> tasks, int limit)
    {
        var counts = new Dictionary<string, int>();
        var queries = new List<RatedQuery>();
        for (var index = 0; index < source.Count(split); index++)
            foreach (var group in source.Read(split, index).Turns.GroupBy(turn => (turn.Task, turn.Prompt)))
            {
                if (tasks.Count > 0 && !tasks.Any(task => TaskFilter.Matches([task], group.Key.Task))) continue;
                if ((counts[group.Key.Task] = counts.GetValueOrDefault(group.Key.Task) + 1) > limit) continue;
                queries.Add(new RatedQuery(group.Key.Task, group.Key.Prompt, group.SelectMany(turn => turn.AlsoRight.Prepend(turn.Answer)).ToHashSet()));
            }
        return queries;
    }
}
