namespace PluginHost.Sdk;

/// <summary>One text of a sample, for filters that look at every one.</summary>
/// <param name="Place">Where it stands, for a person to read: <c>text 'zh'</c>, <c>answer of 'caption.en'</c>.</param>
/// <param name="Language">The language it claims to be in: a caption's key, or what follows the last dot of a turn's task. Null when nothing says.</param>
/// <param name="Text">The text.</param>
public sealed record SampleText(string Place, string? Language, string Text)
{
    /// <summary>Captions, then the turns' prompts, answers and further answers, in order. What is said twice comes once.</summary>
    /// <param name="sample">The sample.</param>
    public static IEnumerable<SampleText> Of(Sample sample) => Everything(sample).DistinctBy(item => (item.Language, item.Text));

    private static IEnumerable<SampleText> Everything(Sample sample)
    {
        foreach (var (language, text) in sample.Texts) yield return new SampleText($"text '{language}'", language, text);
        foreach (var turn in sample.Turns)
        {
            // Prompts come from templates, whatever the language of the answer is.
            yield return new SampleText($"prompt of '{turn.Task}'", null, turn.Prompt);
            foreach (var answer in turn.AlsoRight.Prepend(turn.Answer)) yield return new SampleText($"answer of '{turn.Task}'", LanguageOf(turn.Task), answer);
        }
    }

    private static string? LanguageOf(string task)
    {
        var code = task[(task.LastIndexOf('.') + 1)..];
        return code.Length < task.Length && code.Length is 2 or 3 && code.All(char.IsAsciiLetterLower) ? code : null;
    }
}
