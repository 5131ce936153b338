using System.Text.Json;
using PluginHost.Config;
using PluginHost.Serving.Http.Media;
using PluginHost.Serving.Keys;

namespace PluginHost.Serving;

/// <summary>Reads the keys and the host file again while the server runs: on SIGHUP and on <c>POST /admin/config/reload</c>.</summary>
public sealed class ServerReload
{
    private readonly ServerConfig begun;
    private readonly Func<ServerConfig> read;
    private readonly ApiKeys keys;
    private readonly KeyLimits limits;
    private readonly MediaFetching media;

    /// <param name="begun">What the server began with.</param>
    /// <param name="read">Reads it again.</param>
    /// <param name="keys">The keys in force.</param>
    /// <param name="limits">The limits in force.</param>
    /// <param name="media">The hosts in force.</param>
    internal ServerReload(ServerConfig begun, Func<ServerConfig> read, ApiKeys keys, KeyLimits limits, MediaFetching media) =>
        (this.begun, this.read, this.keys, this.limits, this.media) = (begun, read, keys, limits, media);

    /// <summary>Takes over keys, <c>requestsPerMinute</c> and <c>mediaHosts</c>: all, or nothing where a file is damaged.</summary>
    /// <returns>What is in force now, and which settings wait for a restart.</returns>
    /// <exception cref="ConfigException">A file cannot be read; all stays as it was.</exception>
    public string Reload()
    {
        var now = read();
        keys.Reload();
        (limits.PerMinute, media.Hosts) = (now.RequestsPerMinute, now.MediaHosts);
        var waiting = typeof(ServerConfig).GetProperties().Where(property => property.Name is not (nameof(ServerConfig.RequestsPerMinute) or nameof(ServerConfig.MediaHosts))
            && JsonSerializer.Serialize(property.GetValue(now)) != JsonSerializer.Serialize(property.GetValue(begun))).Select(property => $"server.{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}").ToList();
        var text = $"read again: {keys.All.Count} keys, {(limits.PerMinute == 0 ? "any number of" : limits.PerMinute)} requests a minute, {media.Hosts.Count} hosts of media";
        return waiting.Count == 0 ? text : $"{text}; changed, and waiting for a restart: {string.Join(", ", waiting)}";
    }
}
