using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Serving.Http;

/// <summary>Reads token ids.</summary>
internal static class TokenReader
{
    /// <exception cref="ConfigException">It is none of the vocabulary's.</exception>
    public static int Read(JsonElementNode node, int vocabulary) => node.TryGetInt64(out var token) && token >= 0 && token < vocabulary
        ? (int)token
        : throw new ConfigException([new ConfigError(node.Location, $"a token is a whole number from 0 to {vocabulary - 1}, not {JsonObjectReader.Describe(node)}")]);
}
