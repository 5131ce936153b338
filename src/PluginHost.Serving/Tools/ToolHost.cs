using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Plugins;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools;

/// <summary>All tools of a host in one registry: those of its plugins, of MCP servers, and what was registered.</summary>
public sealed class ToolHost : IAsyncDisposable
{
    private readonly PluginTools plugins = new();
    private readonly ToolMeter meter = new();
    private readonly HttpClient http;

    private ToolHost(ServerConfig server, ToolLimits limits, ILoggerFactory loggers)
    {
        var store = new ToolStore(server.ToolFile);
        http = ToolHttp.Client(server.ToolHosts);
        Registry = new ToolRegistry(store, meter, limits, loggers.CreateLogger<ToolRegistry>());
        Registrations = new ToolRegistrations(Registry, store, http, limits, loggers);
    }

    /// <summary>The tools.</summary>
    public ToolRegistry Registry { get; }

    internal ToolRegistrations Registrations { get; }

    /// <summary>Opens what the host file lists and what was registered before.</summary>
    /// <param name="server">What the host file says.</param>
    /// <param name="catalog">Where tool plugins are; null: there are none.</param>
    /// <param name="folder">Paths in settings of plugins are relative to it.</param>
    /// <param name="loggers">For failures.</param>
    /// <param name="limits">What calls are held to; null: the standard.</param>
    /// <param name="documents">Searches the server's documents; null: there are none.</param>
    /// <exception cref="ConfigException">A plugin is not installed, its settings are not allowed, or the file of registrations is damaged.</exception>
    /// <exception cref="UserErrorException">A plugin cannot work here, or two tools have one name.</exception>
    public static async Task<ToolHost> OpenAsync(ServerConfig server, PluginCatalog? catalog, string folder, ILoggerFactory loggers, ToolLimits? limits = null, IPassageSearch? documents = null)
    {
        var host = new ToolHost(server, limits ?? new ToolLimits(), loggers);
        try
        {
            if (catalog is not null)
                host.plugins.Open(host.Registry, catalog, server.Tools, plugin => new ToolContext { Http = host.http, Logger = loggers.CreateLogger(plugin.Id), ContentFolder = plugin.Folder, Folder = folder, Documents = documents });
            await host.Registrations.RestoreAsync(CancellationToken.None);
            foreach (var mcp in server.McpServers) await host.Registrations.ConnectAsync(mcp);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Registrations.DisposeAsync();
        plugins.Dispose();
        http.Dispose();
        meter.Dispose();
    }
}
