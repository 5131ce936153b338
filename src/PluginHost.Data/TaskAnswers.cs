using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>A question with the wrong answers that compete with the right one.</summary>
internal sealed record CandidateQuestion(Turn Turn, IReadOnlyList<string> Wrong);

/// <summary>The answers that a training split gives to each task: what a model without a decoder chooses from.</summary>
internal sealed class TaskAnswers
{
    private readonly Dictionary<string, string[]> answers;

    /// <param name="samples">Samples of the training split.</param>
    public TaskAnswers(IEnumerable<Sample> samples) => answers = samples.SelectMany(sample => sample.Turns).GroupBy(turn => turn.Task).ToDictionary(
        task => task.Key,
        task => task.GroupBy(turn => turn.Answer).OrderByDescending(answer => answer.Count()).ThenBy(answer => answer.Key, StringComparer.Ordinal).Select(answer => answer.Key).ToArray());

    /// <summary>The answers of a task, the most frequent first; none when no sample has the task.</summary>
    public IReadOnlyList<string> Of(string task) => answers.GetValueOrDefault(task, []);

    /// <summary>Draws wrong answers without repetition; fewer when the task has no more.</summary>
    public IReadOnlyList<string> DrawWrong(Turn turn, int count, ref KeyedRandom random)
    {
        var all = Of(turn.Task);
        var drawn = new List<string>(count);
        // Those that are known to be hard come first.
        for (var attempt = 0; attempt < 8 * count && drawn.Count < Math.Min(count, turn.Wrong.Count); attempt++)
            if (turn.Wrong[random.Below(turn.Wrong.Count)] is var hard && !drawn.Contains(hard)) drawn.Add(hard);
        // A right answer or a repetition costs a try: tries are limited for tasks with few answers.
        for (var attempt = 0; attempt < 8 * count && drawn.Count < count && all.Count > 0; attempt++)
        {
            var answer = all[random.Below(all.Count)];
            if (answer != turn.Answer && !turn.AlsoRight.Contains(answer) && !drawn.Contains(answer)) drawn.Add(answer);
        }
        return drawn;
    }
}
