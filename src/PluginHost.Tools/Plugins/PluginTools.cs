using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Tools.Registry;

namespace PluginHost.Tools.Plugins;

/// <summary>Opens the tool plugins that the host file lists and holds them until it is disposed.</summary>
public sealed class PluginTools : IDisposable
{
    private readonly List<PluginLease> leases = [];

    /// <summary>Puts the tools of plugins into a registry.</summary>
    /// <param name="registry">Where they go.</param>
    /// <param name="catalog">Where the plugins are.</param>
    /// <param name="uses">The plugins with their settings.</param>
    /// <param name="context">The surroundings of a plugin.</param>
    /// <exception cref="ConfigException">A plugin is not installed, is no tool, or has settings that are not allowed.</exception>
    /// <exception cref="UserErrorException">A plugin cannot work with its settings.</exception>
    public void Open(ToolRegistry registry, PluginCatalog catalog, IReadOnlyList<ToolUse> uses, Func<PluginDescription, ToolContext> context)
    {
        var errors = new List<ConfigError>();
        var found = uses.Select(use => (Use: use, Plugin: Find(catalog, use.Use, errors))).Where(item => item.Plugin is not null).ToList();
        var settings = found.Select(item => SettingsValidator.Validate(item.Plugin!, item.Use.Use, errors)).ToList();
        if (errors.Count > 0) throw new ConfigException(errors);
        foreach (var ((use, plugin), values) in found.Zip(settings)) Open(registry, catalog, use, plugin!, values, context(plugin!));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var lease in leases) lease.Dispose();
        leases.Clear();
    }

    private void Open(ToolRegistry registry, PluginCatalog catalog, ToolUse use, PluginDescription plugin, IReadOnlyDictionary<string, object?> settings, ToolContext context)
    {
        var lease = catalog.Lease(plugin, settings);
        leases.Add(lease);
        var source = plugin.Id.Split('.', 2)[1];
        registry.Put(plugin.Id, [.. Functions(lease, context).Select(function => new ToolOffer(ToolOffer.Qualified(source, function.Name), function) { Writes = function.Writes, Approved = use.Approved })]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<PluginFunction> Functions(PluginLease lease, ToolContext context) => [.. lease.Guarded<IToolPlugin>().Open(context).Select(function => new PluginFunction(function, lease))];

    private static PluginDescription? Find(PluginCatalog catalog, PluginUse use, List<ConfigError> errors)
    {
        var tools = catalog.Installed.All.Where(plugin => plugin.Kind == "tool").Select(plugin => plugin.Id).ToList();
        if (catalog.Find(use.Id) is { } plugin)
        {
            if (plugin.Kind == "tool") return plugin;
            errors.Add(new ConfigError(use.Location, $"{use.Id} is of kind '{plugin.Kind}', but a tool is expected here{NearestName.Suggestion(use.Id, tools)}"));
            return null;
        }
        errors.Add(new ConfigError(use.Location, $"no plugin '{use.Id}' is installed{NearestName.Suggestion(use.Id, tools)}"));
        return null;
    }

    // What a plugin throws and returns becomes the host's own before anybody keeps it.
    private sealed class PluginFunction(ToolFunction function, PluginLease lease) : AIFunction
    {
        public override string Name { get; } = function.Name;

        public override string Description { get; } = function.Description;

        public override JsonElement JsonSchema { get; } = function.JsonSchema.Clone();

        public bool Writes { get; } = function.Writes;

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var began = lease.Health.Begin();
            try
            {
                var result = Own(await function.InvokeAsync(arguments, cancellationToken).ConfigureAwait(false));
                lease.Health.End(began);
                return result;
            }
            catch (Exception error)
            {
                var failure = PluginFailedException.From(error, lease.Description.Id, "answering");
                if (failure is PluginFailedException) lease.Health.Fail(began, failure.Message);
                else lease.Health.Abandon(began);
                throw failure;
            }
        }

        private static object? Own(object? result) => result switch
        {
            null or string or JsonElement or JsonNode or bool or double or float or int or long or decimal => result,
            _ => throw new InvalidOperationException($"it gave a {result.GetType().Name}; a tool gives a text, a number, a truth value or JSON"),
        };
    }
}
