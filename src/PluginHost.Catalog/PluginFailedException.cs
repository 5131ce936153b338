namespace PluginHost.Catalog;

/// <summary>
/// A plugin threw. Holds strings only: the plugin's own exception, its type and its stack would keep the plugin in memory.
/// </summary>
public sealed class PluginFailedException(string id, string doing, string errorType, string errorMessage, string? trace)
    : Exception($"{id} failed while {doing}: {errorType}: {errorMessage}")
{
    public string PluginId { get; } = id;

    /// <summary>The plugin's stack trace as text.</summary>
    public string? PluginTrace { get; } = trace;

    /// <summary>Turns what a plugin threw into an exception of the host's own.</summary>
    public static Exception From(Exception error, string id, string doing) => error switch
    {
        System.Reflection.TargetInvocationException { InnerException: { } inner } => From(inner, id, doing),
        TypeInitializationException { InnerException: { } inner } => From(inner, id, doing),
        PluginFailedException or PluginQuarantinedException => error,
        Sdk.UserErrorException => new Sdk.UserErrorException(error.Message),
        Sdk.BadSampleException bad => new Sdk.BadSampleException(bad.Message) { UnknownFormat = bad.UnknownFormat },
        OperationCanceledException => new OperationCanceledException($"{id} was stopped while {doing}."),
        _ => new PluginFailedException(id, doing, error.GetType().Name, error.Message, error.StackTrace),
    };
}
