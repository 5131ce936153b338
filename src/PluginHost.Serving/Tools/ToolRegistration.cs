using System.Text.Json;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;
using PluginHost.Tools.Registry;
using PluginHost.Tools.Schemas;

namespace PluginHost.Serving.Tools;

/// <summary>What <c>POST /v1/tools</c> registers, read and checked: one of an endpoint, an OpenAPI document and an MCP server.</summary>
/// <param name="Name">The tool's name; of a document or server what its tools are called behind.</param>
internal sealed record ToolRegistration(string Name)
{
    private const int MostDescription = 4096; // characters

    public string Description { get; init; } = "";

    public ToolSchema? Schema { get; init; }

    /// <summary>Where calls are sent by POST; null: it is a document or a server.</summary>
    public Uri? Endpoint { get; init; }

    public bool Writes { get; init; }

    /// <summary>An OpenAPI document; null: it is something else.</summary>
    public JsonElementNode? OpenApi { get; init; }

    /// <summary>Where the API of the document is, in place of what it says itself.</summary>
    public Uri? Server { get; init; }

    /// <summary>Where an MCP server listens; null: it is something else.</summary>
    public Uri? Mcp { get; init; }

    public ToolLimits Limits { get; init; } = new();

    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static ToolRegistration Read(JsonElementNode body, ToolLimits standard)
    {
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(body, "a tool", errors);
        var name = reader.RequiredText("name") ?? "";
        var description = reader.AnyText("description") ?? "";
        if (description.Length > MostDescription) errors.Add(new ConfigError(body.Find("description")!.Location, $"the description has {description.Length} characters; {MostDescription} are the most"));
        var parameters = reader.Value("parameters");
        var required = reader.Texts("required", []);
        var registration = new ToolRegistration(name)
        {
            Description = description,
            Endpoint = Address(reader, "endpoint", errors),
            OpenApi = reader.Value("openapi"),
            Server = Address(reader, "server", errors),
            Mcp = Address(reader, "mcp", errors),
            Writes = reader.Flag("writes", false),
            Limits = standard with
            {
                Deadline = reader.Duration("deadline", standard.Deadline),
                Retries = (int)reader.Integer("retries", standard.Retries, 0, 10),
            },
        };
        if (registration.Limits.Deadline < TimeSpan.FromMilliseconds(10)) errors.Add(new ConfigError(body.Find("deadline")!.Location, "'deadline' is 10ms at the least"));
        if (new object?[] { body.Find("endpoint"), body.Find("openapi"), body.Find("mcp") }.Count(item => item is not null) != 1)
            errors.Add(new ConfigError(body.Location, "a tool has one of 'endpoint' (an address that takes its arguments by POST), 'openapi' (a document) and 'mcp' (the address of an MCP server)"));
        reader.End();
        if (registration.Endpoint is not null) registration = registration with { Schema = Parameters(body, parameters, required, errors) };
        return errors.Count == 0 ? registration : throw new ConfigException(errors);
    }

    private static ToolSchema? Parameters(JsonElementNode body, JsonElementNode? parameters, IReadOnlyList<string> required, List<ConfigError> errors)
    {
        try
        {
            using var json = parameters is null ? null : JsonDocument.Parse(parameters.ToJsonString());
            return ToolSchema.Read(json?.RootElement, required);
        }
        catch (UserErrorException error)
        {
            errors.Add(new ConfigError((parameters ?? body).Location, error.Message));
            return null;
        }
    }

    private static Uri? Address(JsonObjectReader reader, string name, List<ConfigError> errors)
    {
        if (reader.Text(name) is not { } text) return null;
        var problem = text.Contains('\\', StringComparison.Ordinal) || !Uri.TryCreate(text, UriKind.Absolute, out var address) ? "it is no address, such as https://tools.example/search" : ToolHttp.Problem(address);
        if (problem is null) return new Uri(text);
        errors.Add(new ConfigError(reader.Value(name)!.Location, $"'{name}': {problem}"));
        return null;
    }
}
