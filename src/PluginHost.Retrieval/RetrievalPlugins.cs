using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Retrieval;

/// <summary>The plugins of a retrieval, leased until this is disposed.</summary>
/// <param name="catalog">The installed plugins.</param>
/// <param name="loggers">For plugins' messages.</param>
/// <param name="cancellation">Ends the openings.</param>
public sealed class RetrievalPlugins(PluginCatalog catalog, ILoggerFactory loggers, CancellationToken cancellation) : IDisposable
{
    private readonly Stack<IDisposable> owned = new();

    /// <summary>Opens an index.</summary>
    /// <param name="use">The plugin.</param>
    /// <param name="folder">Where it keeps its files.</param>
    /// <param name="width">Width of the vectors; 0: none.</param>
    /// <exception cref="ConfigException">The plugin or its settings are wrong.</exception>
    /// <exception cref="UserErrorException">It cannot be opened.</exception>
    public IDocumentIndex Index(PluginUse use, string folder, int width)
    {
        var lease = Lease(use, "index");
        return Own(lease.As<IIndexPlugin>().Open(new IndexContext(Context(lease.Description), folder, width)));
    }

    /// <summary>Opens a retriever.</summary>
    /// <param name="use">The plugin.</param>
    /// <param name="index">What it searches.</param>
    /// <param name="encoder">What encodes queries; null: nothing.</param>
    public IRetriever Retriever(PluginUse use, IDocumentIndex index, IQueryEncoder? encoder) => Lease(use, "retriever").As<IRetrieverPlugin>().Open(new RetrieverContext(index, encoder));

    /// <summary>Opens a reranker.</summary>
    /// <param name="use">The plugin.</param>
    /// <param name="scorer">The trained cross-encoder; null: there is none.</param>
    public IReranker Reranker(PluginUse use, IPassageScorer? scorer) => Lease(use, "reranker").As<IRerankerPlugin>().Open(new RerankerContext(scorer));

    /// <summary>Opens the samples of a project.</summary>
    public ISource Source(ProjectConfig project)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(project.Path))!;
        return Own(MixedSource.Of([.. GraphPlanner.Plan(project, catalog.Installed).Sources.Select(source => new WeightedSource(Open(source.Plugin), source.Weight))]));

        ISource Open(PlannedPlugin plugin) => Own(Own(catalog.Lease(plugin.Description, plugin.Settings)).As<ISourcePlugin>()
            .Open(new SourceContext(Context(plugin.Description), Dataset.FormatOf(project.Data), folder, _ => { })));
    }

    /// <summary>Gives everything back.</summary>
    public void Dispose()
    {
        while (owned.TryPop(out var item)) item.Dispose();
    }

    private PluginLease Lease(PluginUse use, string kind)
    {
        var errors = new List<ConfigError>();
        var fitting = catalog.Installed.All.Where(plugin => plugin.Kind == kind).Select(plugin => plugin.Id).ToArray();
        var plugin = catalog.Find(use.Id);
        if (plugin is null) errors.Add(new ConfigError(use.Location, $"no plugin '{use.Id}' is installed{NearestName.Suggestion(use.Id, fitting)}"));
        else if (plugin.Kind != kind) errors.Add(new ConfigError(use.Location, $"{use.Id} is of kind '{plugin.Kind}', but a plugin of kind '{kind}' is expected here; installed: {string.Join(", ", fitting)}"));
        var settings = errors.Count > 0 ? null : SettingsValidator.Validate(plugin!, use, errors);
        return errors.Count > 0 ? throw new ConfigException(errors) : Own(catalog.Lease(plugin!, settings!));
    }

    private BuildContext Context(PluginDescription plugin) => new()
    {
        Device = CPU,
        Logger = loggers.CreateLogger(plugin.Id),
        Cancellation = cancellation,
        ContentFolder = plugin.Folder,
    };

    private T Own<T>(T value) where T : IDisposable
    {
        owned.Push(value);
        return value;
    }
}
