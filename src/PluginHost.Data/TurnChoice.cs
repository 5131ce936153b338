using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>Which turns of a sample are taken, and which of its captions.</summary>
internal static class TurnChoice
{
    /// <summary>The sample with what is learnt from it this time: one caption, and turns without repetition in random order.</summary>
    /// <param name="tasks">Patterns of tasks; a sample without any such turn keeps none.</param>
    /// <param name="weights">How likely turns are taken.</param>
    /// <param name="languages">One of them by equal chance; any when the sample has none of these.</param>
    public static Sample Draw(Sample sample, IReadOnlyList<string> tasks, IReadOnlyList<TaskWeight> weights, int count, IReadOnlyList<string> languages, KeyedRandom random)
    {
        var texts = Text(sample, languages, ref random);
        return sample with { Texts = texts, Turns = Turns(sample, tasks, weights, count, ref random) };
    }

    /// <summary>The sample with what a stream learns from it in an epoch.</summary>
    public static Sample Draw(Sample sample, TrainStream stream, IReadOnlyList<string> languages, long epoch, int index) =>
        Draw(sample, stream.Tasks, stream.TaskWeights, stream.Turns, languages, new KeyedRandom(stream.Seed, epoch, index));

    /// <summary>The caption in a language; in the first available one when it has none in that.</summary>
    public static string? Caption(Sample sample, string language) => sample.Texts.TryGetValue(language, out var text) ? text : Any(sample)?.Value;

    private static Dictionary<string, string> Text(Sample sample, IReadOnlyList<string> languages, ref KeyedRandom random)
    {
        var available = languages.Where(sample.Texts.ContainsKey).ToArray();
        if (available.Length == 0) return Any(sample) is { } any ? new([any]) : [];
        var language = available[random.Below(available.Length)];
        return new() { [language] = sample.Texts[language] };
    }

    private static Turn[] Turns(Sample sample, IReadOnlyList<string> tasks, IReadOnlyList<TaskWeight> weights, int count, ref KeyedRandom random)
    {
        var turns = sample.Turns.Where(turn => TaskFilter.Matches(tasks, turn.Task)).Select(turn => (Turn: turn, Weight: TaskFilter.WeightOf(weights, turn.Task))).ToArray();
        var taken = Math.Min(count, turns.Length);
        var total = turns.Sum(turn => turn.Weight);
        for (var i = 0; i < taken; i++)
        {
            var other = i;
            for (var left = random.Unit() * total; other < turns.Length - 1 && left >= turns[other].Weight; other++) left -= turns[other].Weight;
            (turns[i], turns[other]) = (turns[other], turns[i]);
            total -= turns[i].Weight;
        }
        return [.. turns.Take(taken).Select(turn => turn.Turn)];
    }

    private static KeyValuePair<string, string>? Any(Sample sample) =>
        sample.Texts.Count == 0 ? null : sample.Texts.MinBy(text => text.Key, StringComparer.Ordinal);
}
