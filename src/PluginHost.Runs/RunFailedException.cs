namespace PluginHost.Runs;

/// <summary>A run that cannot go on: exit code 1.</summary>
public sealed class RunFailedException(string message) : Exception(message);
