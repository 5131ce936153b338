namespace PluginHost.Runs.Chat;

/// <summary>A prompt is longer than the model can read.</summary>
/// <param name="message">How long it is, how long it may be, and what to do.</param>
public sealed class ContextLengthException(string message) : Exception(message);
