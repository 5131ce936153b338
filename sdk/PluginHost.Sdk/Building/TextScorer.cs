namespace PluginHost.Sdk;

/// <summary>
/// How likely texts are under a trained decoder that sees and hears nothing: the capability <see cref="Capability.TextScorer"/>. Safe for concurrent
/// calls, which take turns: score many at once.
/// </summary>
public interface ITextScorer
{
    /// <summary>Scores texts.</summary>
    /// <param name="texts">Any number; what is longer than the model's rows is cut, and the score speaks of what is left.</param>
    /// <param name="cancellation">Ends the scoring between batches.</param>
    /// <returns>One score for each text, in order.</returns>
    IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation = default);
}

/// <summary>A text to be scored.</summary>
/// <param name="Text">The text.</param>
/// <param name="Prompt">What it answers; empty: nothing.</param>
public sealed record ScoredText(string Text, string Prompt = "");

/// <summary>How likely a text is.</summary>
/// <param name="LogLikelihood">Natural logarithm of its probability, given the prompt: nats, never above 0. The end of the text is a token of it.</param>
/// <param name="Tokens">Tokens that were scored, the end included; perplexity is <c>exp(-LogLikelihood / Tokens)</c>.</param>
public readonly record struct TextScore(double LogLikelihood, int Tokens);
