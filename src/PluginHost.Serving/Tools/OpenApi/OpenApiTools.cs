using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Sdk;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools.OpenApi;

/// <summary>The operations of an OpenAPI document (3.0 and 3.1) as tools. What GET asks for reads; everything else writes, and waits for approval.</summary>
internal static class OpenApiTools
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "patch", "head"];

    /// <exception cref="UserErrorException">It is no such document, or has no operation that can be called.</exception>
    public static IReadOnlyList<ToolOffer> Read(ToolRegistration registration, HttpClient http)
    {
        var document = JsonNode.Parse(registration.OpenApi!.ToJsonString()) as JsonObject ?? throw new UserErrorException("'openapi' is an OpenAPI document, an object");
        if (document["openapi"] is not JsonValue version || !version.ToString().StartsWith("3.", StringComparison.Ordinal)) throw new UserErrorException("the document is no OpenAPI 3: it begins with \"openapi\": \"3.…\"");
        var server = registration.Server ?? Server(document);
        var tools = new List<ToolOffer>();
        foreach (var (path, node) in document["paths"] as JsonObject ?? [])
        {
            if (node is not JsonObject item) continue;
            foreach (var method in Methods)
                if (item[method] is JsonObject operation) tools.Add(Tool(registration, http, new OpenApiOperation(document, item, operation, method, path, server)));
        }
        return tools.Count > 0 ? tools : throw new UserErrorException("the OpenAPI document has no operations");
    }

    private static ToolOffer Tool(ToolRegistration registration, HttpClient http, OpenApiOperation operation)
    {
        var name = ToolOffer.Qualified(registration.Name, operation.Name);
        using var schema = JsonDocument.Parse(operation.Schema.ToJsonString());
        var function = new EndpointFunction(name, operation.Description, schema.RootElement.Clone(), registration.Limits.MostCharacters, http, operation.Request);
        return new ToolOffer(name, function) { Writes = operation.Method is not ("get" or "head"), Limits = registration.Limits };
    }

    private static Uri Server(JsonObject document)
    {
        var url = (document["servers"] as JsonArray)?.Select(item => item?["url"]?.ToString()).FirstOrDefault(text => text is not null);
        if (url is null || !Uri.TryCreate(url, UriKind.Absolute, out var address)) throw new UserErrorException($"the OpenAPI document says no address of its API ({url ?? "no 'servers'"}); give one in 'server'");
        return ToolHttp.Problem(address) is { } problem ? throw new UserErrorException($"the server of the OpenAPI document: {problem}") : address;
    }
}
