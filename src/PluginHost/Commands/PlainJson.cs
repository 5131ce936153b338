using System.Text.Encodings.Web;
using System.Text.Json;

namespace PluginHost.Commands;

/// <summary>How commands write JSON. Only the host's own values go through it, never a plugin's types.</summary>
internal static class PlainJson
{
    public static JsonSerializerOptions Options { get; } = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
