using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>Which turns of a sample are taken, and which of its captions.</summary>
internal static class TurnChoice
{
    /// <summary>Draws turns without repetition, in random order. Empty when none matches.</summary>
    public static IReadOnlyList<Turn> Draw(Sample sample, IReadOnlyList<string> tasks, int count, ref KeyedRandom random)
    {
        var turns = sample.Turns.Where(turn => TaskFilter.Matches(tasks, turn.Task)).ToArray();
        var taken = Math.Min(count, turns.Length);
        for (var i = 0; i < taken; i++)
        {
            var other = i + random.Below(turns.Length - i);
            (turns[i], turns[other]) = (turns[other], turns[i]);
        }
        return turns[..taken];
    }

    /// <summary>A caption in one of the languages by equal chance; in any when it has none of these.</summary>
    public static string? Caption(Sample sample, IReadOnlyList<string> languages, ref KeyedRandom random)
    {
        var available = languages.Where(sample.Texts.ContainsKey).ToArray();
        return available.Length == 0 ? Any(sample) : sample.Texts[available[random.Below(available.Length)]];
    }

    /// <summary>The caption in a language; in the first available one when it has none in that.</summary>
    public static string? Caption(Sample sample, string language) => sample.Texts.TryGetValue(language, out var text) ? text : Any(sample);

    private static string? Any(Sample sample) =>
        sample.Texts.Count == 0 ? null : sample.Texts[sample.Texts.Keys.Min(StringComparer.Ordinal)!];
}
