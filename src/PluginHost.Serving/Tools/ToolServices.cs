using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using PluginHost.Serving.Tools.Mcp;

namespace PluginHost.Serving.Tools;

/// <summary>Tools as a part of the server: REST, OpenAPI and MCP.</summary>
public static class ToolServices
{
    /// <summary>Adds the tools of a host, which stays the caller's to dispose.</summary>
    public static IServiceCollection AddTools(this IServiceCollection services, ToolHost tools)
    {
        services.AddSingleton(tools.Registry).AddSingleton(tools.Registrations).AddSingleton<ToolEndpoints>().AddSingleton<McpToolList>();
        services.AddMcpServer().WithHttpTransport(transport => transport.SessionMode = HttpServerSessionMode.StatefulForInitializeClients);
        services.AddOptions<McpServerOptions>().Configure<McpToolList>((options, list) =>
        {
            options.ServerInfo = new Implementation { Name = "pluginhost", Version = "0.1" };
            options.ToolCollection = list.Tools;
            options.Capabilities = new ServerCapabilities { Tools = new ToolsCapability { ListChanged = true } };
        });
        return services;
    }

    /// <summary>Maps <c>/v1/tools</c> and <c>/mcp</c>.</summary>
    public static void MapTools(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<ToolEndpoints>().Map(routes);
        var registry = routes.ServiceProvider.GetRequiredService<PluginHost.Tools.Registry.ToolRegistry>();
        var protocol = routes.MapMcp("/mcp");
        protocol.WithMetadata(new Microsoft.AspNetCore.Http.Timeouts.DisableRequestTimeoutAttribute());
        // Without a session nobody can be told of a change: the tag tells whoever asks.
        protocol.AddEndpointFilter(async (context, next) =>
        {
            context.HttpContext.Response.Headers.ETag = $"\"{registry.Version}\"";
            return await next(context);
        });
    }
}
