namespace PluginHost.Catalog;

/// <summary>A plugin failed too often and is not called for a while; the rest of the host goes on.</summary>
public sealed class PluginQuarantinedException(string id, string reason, DateTimeOffset? until) : Exception(
    $"{id} is in quarantine ({reason}); {(until is { } time ? $"it is tried again after {time:HH:mm:ss} UTC, or" : "it comes back")} by 'pluginhost plugins restore {id}'")
{
    public string PluginId { get; } = id;

    /// <summary>When it is tried again; null: by command only.</summary>
    public DateTimeOffset? Until { get; } = until;
}
