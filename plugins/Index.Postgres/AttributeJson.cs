using System.Text.Json.Nodes;

namespace Index.Postgres;

/// <summary>Attributes of documents as the database keeps them.</summary>
internal static class AttributeJson
{
    public static string Write(IReadOnlyDictionary<string, string> attributes) =>
        new JsonObject([.. attributes.Select(item => KeyValuePair.Create(item.Key, (JsonNode?)JsonValue.Create(item.Value)))]).ToJsonString();

    public static Dictionary<string, string> Read(string json) => JsonNode.Parse(json)!.AsObject().ToDictionary(item => item.Key, item => item.Value!.GetValue<string>());
}
