using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Serving.Tools.OpenApi;

/// <summary>An operation of a document: the arguments that it takes, and a request made of them.</summary>
internal sealed class OpenApiOperation
{
    private const string Body = "body";

    private readonly List<(string Name, string Place)> parameters = [];
    private readonly Uri server;
    private readonly string path;

    /// <exception cref="UserErrorException">The document is damaged here.</exception>
    public OpenApiOperation(JsonObject document, JsonObject item, JsonObject operation, string method, string path, Uri server)
    {
        (Method, this.path, this.server) = (method, path, server);
        Name = Named(operation["operationId"]?.ToString() ?? $"{method}_{path}");
        Description = string.Join(' ', new[] { operation["summary"]?.ToString(), operation["description"]?.ToString() }.Where(text => !string.IsNullOrWhiteSpace(text)).Distinct());
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var node in (operation["parameters"] as JsonArray ?? []).Concat(item["parameters"] as JsonArray ?? []))
            Parameter(Resolved(document, node), properties, required);
        if (operation["requestBody"] is { } body) RequestBody(Resolved(document, body), properties, required);
        Schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required, ["additionalProperties"] = false };
        if (document["components"]?["schemas"] is JsonObject schemas) OpenApiReferences.Bring(Schema, schemas);
    }

    public string Name { get; }

    public string Method { get; }

    public string Description { get; }

    /// <summary>The arguments' JSON Schema: each parameter by its name, and <c>body</c>.</summary>
    public JsonObject Schema { get; }

    /// <summary>A call.</summary>
    public HttpRequestMessage Request(AIFunctionArguments arguments)
    {
        var address = new StringBuilder(server.ToString().TrimEnd('/')).Append(path);
        var query = new List<string>();
        var message = new HttpRequestMessage { Method = new HttpMethod(Method.ToUpperInvariant()) };
        foreach (var (name, place) in parameters)
        {
            if (!arguments.TryGetValue(name, out var value) || value is not JsonElement element)
            {
                continue;
            }
            if (place == "path") address.Replace($"{{{name}}}", Step(name, Text(element)));
            else if (place == "query") query.AddRange(Texts(element).Select(text => $"{Uri.EscapeDataString(name)}={Uri.EscapeDataString(text)}"));
            else if (Text(element) is var header && header.All(letter => letter is >= ' ' and < '\x7f')) message.Headers.TryAddWithoutValidation(name, header);
            else throw new UserErrorException($"'{name}' is sent as a header, which holds printable ASCII alone");
        }
        if (query.Count > 0) address.Append('?').AppendJoin('&', query);
        message.RequestUri = new Uri(address.ToString());
        if (arguments.TryGetValue(Body, out var body) && body is JsonElement content) message.Content = new StringContent(content.GetRawText(), Encoding.UTF8, "application/json");
        return message;
    }

    // A step of a path that leads out of it would ask for something else.
    private static string Step(string name, string text) =>
        text is "" or "." or ".." ? throw new UserErrorException($"'{name}' is a part of the address, and cannot be '{text}'") : Uri.EscapeDataString(text);

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(Text) : [Text(value)];

    private void Parameter(JsonObject parameter, JsonObject properties, JsonArray required)
    {
        var name = parameter["name"]?.ToString() ?? throw new UserErrorException($"a parameter of {Method} {path} has no name");
        var place = parameter["in"]?.ToString();
        if (place is not ("path" or "query" or "header") || properties.ContainsKey(name)) return;
        parameters.Add((name, place));
        var schema = parameter["schema"]?.DeepClone() as JsonObject ?? new JsonObject { ["type"] = "string" };
        if (parameter["description"] is { } description && !schema.ContainsKey("description")) schema["description"] = description.DeepClone();
        properties[name] = schema;
        if (place == "path" || parameter["required"]?.GetValueKind() == JsonValueKind.True) required.Add((JsonNode)name);
    }

    private void RequestBody(JsonObject body, JsonObject properties, JsonArray required)
    {
        var content = body["content"] as JsonObject;
        var json = content?.FirstOrDefault(item => item.Key.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)).Value;
        if (json is null)
        {
            if (body["required"]?.GetValueKind() == JsonValueKind.True) throw new UserErrorException($"{Method} {path} needs a body that is no JSON, which a tool cannot send");
            return;
        }
        properties[Body] = json["schema"]?.DeepClone() ?? new JsonObject();
        if (body["required"]?.GetValueKind() == JsonValueKind.True) required.Add((JsonNode)Body);
    }

    private static JsonObject Resolved(JsonObject document, JsonNode? node)
    {
        if (node is not JsonObject found) throw new UserErrorException("the OpenAPI document has a parameter that is no object");
        if (found["$ref"]?.ToString() is not { } reference) return found;
        JsonNode? target = document;
        foreach (var step in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries)) target = (target as JsonObject)?[step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)];
        return target as JsonObject is { } resolved && !resolved.ContainsKey("$ref") ? resolved : throw new UserErrorException($"'{reference}' of the OpenAPI document names nothing");
    }

    private static string Named(string text)
    {
        var name = string.Concat(text.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' ? letter : '_')).Trim('_');
        while (name.Contains("__", StringComparison.Ordinal)) name = name.Replace("__", "_", StringComparison.Ordinal);
        return name;
    }
}
