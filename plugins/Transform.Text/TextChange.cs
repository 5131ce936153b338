using PluginHost.Sdk;

namespace Transform.Text;

/// <summary>Which texts of a sample a transform changes: its captions and, when asked for, its prompts. Answers are what is learnt, and stay.</summary>
internal static class TextChange
{
    /// <summary>The sample with its captions changed.</summary>
    /// <param name="change">Language and text to the new text, which is never empty unless the old one was.</param>
    /// <param name="prompts">Changes a prompt; null: prompts stay.</param>
    public static Sample Apply(Sample sample, Func<string, string, string> change, Func<string, string>? prompts) => sample with
    {
        // In one order, since each draws from the same random numbers.
        Texts = sample.Texts.OrderBy(text => text.Key, StringComparer.Ordinal).ToDictionary(text => text.Key, text => change(text.Key, text.Value)),
        Turns = prompts is null ? sample.Turns : sample.Turns.Select(turn => turn with { Prompt = prompts(turn.Prompt) }).ToArray(),
    };
}
