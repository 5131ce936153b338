using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Something wrong in a config.</summary>
/// <param name="Location">Where; null when it is about no place in particular.</param>
/// <param name="Message">What, by which rule, and the nearest fix.</param>
public sealed record ConfigError(JsonLocation? Location, string Message)
{
    public override string ToString() => Location is null ? Message : $"{Location}: {Message}";
}

/// <summary>All that one pass over a config found wrong; the message has a line for each.</summary>
public sealed class ConfigException(IReadOnlyList<ConfigError> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<ConfigError> Errors { get; } = errors;
}
