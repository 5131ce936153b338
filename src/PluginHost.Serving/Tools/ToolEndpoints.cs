using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http;
using PluginHost.Serving.Tools.OpenApi;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools;

/// <summary><c>/v1/tools</c>. Whoever has a key lists and calls; registering, approving and removing takes one that opens the admin routes.</summary>
internal sealed class ToolEndpoints(ToolRegistry registry, ToolRegistrations registrations, ServerConfig server)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        void Route(string method, string path, Func<HttpContext, Task> handle, string summary, bool admin = false)
        {
            var route = routes.MapMethods(path, [method], (Delegate)handle).WithSummary(summary);
            if (admin) route.WithMetadata(AdminRoute.Mark);
        }
        Route("GET", "/v1/tools", ListAsync, "The tools that can be called, and those that wait for approval");
        Route("GET", "/v1/tools/openapi.json", DescribeAsync, "The tools as an OpenAPI document");
        Route("GET", "/v1/tools/{name}", ShowAsync, "One tool");
        Route("POST", "/v1/tools/{name}/invoke", InvokeAsync, "Calls a tool");
        Route("POST", "/v1/tools", RegisterAsync, "Registers a tool, an OpenAPI document or an MCP server (admin)", admin: true);
        Route("PUT", "/v1/tools/{name}", ChangeAsync, "Changes a registration (admin)", admin: true);
        Route("POST", "/v1/tools/{name}/approve", ApproveAsync, "Lets a tool be called as it is now (admin)", admin: true);
        Route("DELETE", "/v1/tools/{name}", RemoveAsync, "Takes a registration out, with all its tools (admin)", admin: true);
    }

    private Task ListAsync(HttpContext context) => IfChanged(context, () => ApiJson.WriteAsync(context, writer => List(writer, registry.All)));

    private Task DescribeAsync(HttpContext context) =>
        IfChanged(context, () => ApiJson.WriteAsync(context, writer => OpenApiDocument.Of(registry, $"{context.Request.Scheme}://{context.Request.Host}").WriteTo(writer)));

    private Task ShowAsync(HttpContext context) => ApiJson.WriteAsync(context, writer => Tool(writer, Named(context)));

    private async Task RegisterAsync(HttpContext context)
    {
        var tools = await registrations.AddAsync(await ApiJson.ReadAsync(context, server.MaxBodyBytes), null, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status201Created;
        await ApiJson.WriteAsync(context, writer => Registered(writer, tools));
    }

    private async Task ChangeAsync(HttpContext context)
    {
        var tools = await registrations.AddAsync(await ApiJson.ReadAsync(context, server.MaxBodyBytes), (string)context.Request.RouteValues["name"]!, context.RequestAborted);
        await ApiJson.WriteAsync(context, writer => Registered(writer, tools));
    }

    private Task ApproveAsync(HttpContext context)
    {
        registry.Approve(Named(context));
        return ShowAsync(context);
    }

    private async Task RemoveAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        await registrations.RemoveAsync(name, context.RequestAborted);
        await ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("object", "tool.deleted");
            writer.WriteString("name", name);
            writer.WriteBoolean("deleted", true);
            writer.WriteEndObject();
        });
    }

    /// <summary><c>{"arguments": {...}}</c>; without a body, no arguments.</summary>
    private async Task InvokeAsync(HttpContext context)
    {
        var tool = Named(context);
        var outcome = await tool.InvokeAsync(await ArgumentsAsync(context), context.RequestAborted);
        if (outcome.IsError) throw new ApiException(Error(outcome));
        await ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("object", "tool.result");
            writer.WriteString("name", tool.Name);
            writer.WriteString("content", outcome.Text);
            writer.WriteBoolean("untrusted", true);
            writer.WriteBoolean("cut", outcome.Cut);
            writer.WriteNumber("duration_ms", Math.Round(outcome.Duration.TotalMilliseconds, 3));
            writer.WriteEndObject();
        });
    }

    private async Task<JsonElement> ArgumentsAsync(HttpContext context)
    {
        var text = "{}";
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            var errors = new List<ConfigError>();
            var reader = new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), "a call", errors);
            text = reader.Value("arguments")?.ToJsonString() ?? text;
            reader.End();
            if (errors.Count > 0) throw new ConfigException(errors);
        }
        using var json = JsonDocument.Parse(Encoding.UTF8.GetBytes(text));
        return json.RootElement.Clone();
    }

    private static ApiError Error(ToolOutcome outcome)
    {
        var status = outcome.Status switch
        {
            ToolStatus.Invalid or ToolStatus.Refused => StatusCodes.Status400BadRequest,
            ToolStatus.Unapproved => StatusCodes.Status403Forbidden,
            ToolStatus.Unavailable => StatusCodes.Status503ServiceUnavailable,
            ToolStatus.Late => StatusCodes.Status504GatewayTimeout,
            _ => StatusCodes.Status502BadGateway,
        };
        return new ApiError(status, status < 500 ? ApiError.InvalidRequest : "tool_error", outcome.Text, outcome.Status == ToolStatus.Invalid ? "arguments" : null, $"tool_{ToolMeter.NameOf(outcome.Status)}",
            outcome.RetryAfter is { } after ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : null);
    }

    private async Task IfChanged(HttpContext context, Func<Task> answer)
    {
        var tag = $"\"{registry.Version}\"";
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch.Contains(tag)) context.Response.StatusCode = StatusCodes.Status304NotModified;
        else await answer();
    }

    private RegisteredTool Named(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        return registry.Find(name) ?? throw new ApiException(ApiError.Missing($"there is no tool '{name}'{NearestName.Suggestion(name, registry.All.Select(tool => tool.Name))}", "name", "tool_not_found"));
    }

    private static void Registered(Utf8JsonWriter writer, IReadOnlyList<RegisteredTool> tools)
    {
        if (tools.Count == 1) Tool(writer, tools[0]);
        else List(writer, tools);
    }

    private static void List(Utf8JsonWriter writer, IReadOnlyList<RegisteredTool> tools)
    {
        writer.WriteStartObject();
        writer.WriteString("object", "list");
        writer.WriteStartArray("data");
        foreach (var tool in tools) Tool(writer, tool);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Tool(Utf8JsonWriter writer, RegisteredTool tool)
    {
        writer.WriteStartObject();
        writer.WriteString("object", "tool");
        writer.WriteString("name", tool.Name);
        writer.WriteString("description", tool.Description);
        writer.WritePropertyName("parameters");
        tool.Parameters.WriteTo(writer);
        writer.WriteBoolean("writes", tool.Writes);
        writer.WriteString("source", tool.Source);
        writer.WriteString("state", NameOf(tool.State));
        if (tool.Reason is { } reason) writer.WriteString("reason", reason);
        writer.WriteEndObject();
    }

    private static string NameOf(ToolState state) => state switch
    {
        ToolState.Ready => "ready",
        ToolState.Waiting => "waiting",
        _ => "refused",
    };
}
