using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;
using PluginHost.Serving.Http;
using PluginHost.Serving.Tools.Mcp;
using PluginHost.Serving.Tools.OpenApi;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools;

/// <summary>Tools that are registered while the server runs. A registration is written down before it is acknowledged, and taken in again after a restart. Safe for concurrent use.</summary>
internal sealed class ToolRegistrations(ToolRegistry registry, ToolStore store, HttpClient http, ToolLimits limits, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly SemaphoreSlim changing = new(1);
    private readonly Dictionary<string, McpSource> servers = [];
    private readonly ILogger logger = loggers.CreateLogger<ToolRegistrations>();

    /// <summary>Registers what a request's body describes; the same body again changes nothing.</summary>
    /// <param name="body">The body.</param>
    /// <param name="replaced">The name that it is to replace; null: it is new.</param>
    /// <param name="cancellation">Whoever asked has left.</param>
    /// <returns>Its tools.</returns>
    /// <exception cref="ConfigException">The body is damaged.</exception>
    /// <exception cref="UserErrorException">It cannot be used; nothing has changed.</exception>
    public async Task<IReadOnlyList<RegisteredTool>> AddAsync(JsonElementNode body, string? replaced, CancellationToken cancellation)
    {
        var registration = ToolRegistration.Read(body, limits);
        if (replaced is not null && registration.Name != replaced) throw new ApiException(ApiError.Invalid($"the body describes '{registration.Name}', not '{replaced}'", "name"));
        await changing.WaitAsync(cancellation);
        try
        {
            var text = body.ToJsonString();
            var known = store.Registrations.GetValueOrDefault(registration.Name);
            if (known == text) return Tools(registration);
            if (known is not null && replaced is null) throw Taken($"'{registration.Name}' is registered already; PUT /v1/tools/{registration.Name} changes it, and DELETE takes it out");
            if (known is null && replaced is not null) throw new ApiException(ApiError.Missing($"there is no registration '{replaced}' to change{NearestName.Suggestion(replaced, store.Registrations.Keys)}"));
            if (known is null && registry.Find(registration.Name) is { } other) throw Taken($"the name '{registration.Name}' is taken by a tool of {other.Source}");
            var before = known is null ? null : ToolRegistration.Read(JsonTreeReader.Read(System.Text.Encoding.UTF8.GetBytes(known), "tools"), limits);
            if (before is not null) await CloseAsync(before);
            try
            {
                await OpenAsync(registration, wait: true, cancellation);
                store.Keep(registration.Name, text);
            }
            catch
            {
                await CloseAsync(registration);
                if (before is not null) await OpenAsync(before, wait: false, CancellationToken.None);
                throw;
            }
            return Tools(registration);
        }
        catch (IOException error)
        {
            throw Unwritable(error);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Takes a registration out, with all its tools.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellation)
    {
        await changing.WaitAsync(cancellation);
        try
        {
            if (!store.Registrations.TryGetValue(name, out var text))
                throw registry.Find(name) is { } tool ? Taken($"'{name}' is a tool of {tool.Source}, and goes with it") : new ApiException(ApiError.Missing($"there is no tool '{name}'{NearestName.Suggestion(name, store.Registrations.Keys)}", "name", "tool_not_found"));
            var registration = ToolRegistration.Read(JsonTreeReader.Read(System.Text.Encoding.UTF8.GetBytes(text), "tools"), limits);
            store.Forget(name, Tools(registration).Select(tool => tool.Name));
            await CloseAsync(registration);
        }
        catch (IOException error)
        {
            throw Unwritable(error);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Takes in what was registered before the restart. What cannot be is said in the log, and stays registered.</summary>
    public async Task RestoreAsync(CancellationToken cancellation)
    {
        foreach (var (name, text) in store.Registrations)
        {
            try
            {
                await OpenAsync(ToolRegistration.Read(JsonTreeReader.Read(System.Text.Encoding.UTF8.GetBytes(text), "tools"), limits), wait: false, cancellation);
            }
            catch (Exception error) when (error is UserErrorException or ConfigException)
            {
                logger.LogError("The tool {Tool} is not taken in: {Reason}", name, error.Message);
            }
        }
    }

    /// <summary>Takes in an MCP server of the host file.</summary>
    public async Task ConnectAsync(McpServerConfig server)
    {
        var source = new McpSource($"MCP server {server.Name}", server, registry, http, limits, loggers);
        servers.Add($"host file {server.Name}", source);
        await source.StartAsync(wait: false, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.Values) await server.DisposeAsync();
        servers.Clear();
        changing.Dispose();
    }

    private async Task OpenAsync(ToolRegistration registration, bool wait, CancellationToken cancellation)
    {
        if (registration.Endpoint is { } endpoint)
        {
            var function = new EndpointFunction(registration.Name, registration.Description, registration.Schema!.Json, registration.Limits.MostCharacters, http, arguments => EndpointFunction.Post(endpoint, arguments));
            registry.Put(Source(registration), [new ToolOffer(registration.Name, function) { Writes = registration.Writes, Limits = registration.Limits }]);
        }
        else if (registration.OpenApi is not null)
        {
            registry.Put(Source(registration), OpenApiTools.Read(registration, http));
        }
        else
        {
            var source = servers[registration.Name] = new McpSource(Source(registration), new McpServerConfig(registration.Name, null, [], registration.Mcp, false), registry, http, registration.Limits, loggers);
            await source.StartAsync(wait, cancellation);
        }
    }

    private async Task CloseAsync(ToolRegistration registration)
    {
        if (servers.Remove(registration.Name, out var server)) await server.DisposeAsync();
        registry.Remove(Source(registration));
    }

    private List<RegisteredTool> Tools(ToolRegistration registration) => [.. registry.All.Where(tool => tool.Source == Source(registration))];

    private static string Source(ToolRegistration registration) => $"{(registration.Endpoint is not null ? "endpoint" : registration.OpenApi is not null ? "OpenAPI document" : "MCP server")} {registration.Name} (registered)";

    private static ApiException Taken(string message) => new(new ApiError(409, ApiError.InvalidRequest, message, "name", "tool_exists"));

    private static ApiException Unwritable(IOException error) => new(ApiError.Unavailable($"the file of tools cannot be written ({error.Message}); nothing was changed: free space for it, and ask again", "tools_unavailable", 5));
}
