namespace PluginHost.Runs.Chat;

/// <summary>Too many requests wait already; the same request may be answered later.</summary>
public sealed class BusyException(string message) : Exception(message);
