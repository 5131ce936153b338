using System.Text.Json;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Published;

/// <summary>Values of a <c>config.json</c>; what cannot be used is refused with its name.</summary>
internal sealed class PublishedConfig(JsonElement json, string file)
{
    public string? Text(string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public PublishedConfig? Section(string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? new PublishedConfig(value, $"{file}, {name}") : null;

    /// <summary>A whole number above 0.</summary>
    public long Count(string name, long? otherwise = null)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return otherwise ?? throw Bad($"it has no '{name}'");
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number > 0 ? number : throw Bad($"'{name}' is {value.GetRawText()}, not a whole number above 0");
    }

    public double Number(string name, double otherwise) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : otherwise;

    public bool Flag(string name, bool otherwise) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetProperty(name).ValueKind == JsonValueKind.True : otherwise;

    public bool Has(string name) => json.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public UserErrorException Bad(string what) => new($"{file}: {what}.");
}
