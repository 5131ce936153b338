using Microsoft.Extensions.Logging;
using PluginHost.Artifacts.Models;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Retrieval;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Serving.Documents;

/// <summary>An index of a store's and what searches it.</summary>
/// <param name="Index">The index.</param>
/// <param name="Retriever">Searches it.</param>
/// <param name="Owned">What is given back with it; null: the index alone.</param>
public sealed record OpenedIndex(IDocumentIndex Index, IRetriever Retriever, IDisposable? Owned) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        if (Owned is null) Index.Dispose();
        else Owned.Dispose();
    }
}

/// <summary>What documents are searched with: index, retriever, and the towers that encode, if there are any.</summary>
public sealed class RetrievalEngine : IDisposable
{
    private static readonly JsonLocation Nowhere = new("", 0, 0, "$");

    private Stack<IDisposable> owned = new();

    /// <summary>The retriever's plugin.</summary>
    public required string Retriever { get; init; }

    /// <summary>Names the space that vectors are in: a folder for each store's index; other weights are another space.</summary>
    public required string Space { get; init; }

    /// <summary>Opens the index in a folder.</summary>
    public required Func<string, OpenedIndex> Open { get; init; }

    /// <summary>The run that encodes; null: documents are searched by their words.</summary>
    public string? Encoder { get; init; }

    /// <summary>Vectors of passages and of queries; null: there are none.</summary>
    public IPassageEncoder? Towers { get; init; }

    /// <summary>Why documents are searched by their words alone; null: they are not.</summary>
    public string? Reason { get; init; }

    /// <summary>Characters of a chunk where a caller does not say.</summary>
    public int Chunk { get; init; } = 1000;

    /// <summary>The second stage; null: there is none.</summary>
    public IReranker? Reranker { get; init; }

    /// <summary>The second stage's plugin; null: there is none.</summary>
    public string? RerankerName { get; init; }

    /// <summary>Passages that the second stage puts in order at least.</summary>
    public int Candidates { get; init; }

    /// <summary>Searches what a retrieval file has indexed by itself, its folders or samples, in both stages; null: there is nothing.</summary>
    public IRetriever? Corpus { get; init; }

    /// <summary>Opens what the host file names (<c>server.retrieval</c>); without it, or while its towers are not trained, documents are searched by their words.</summary>
    /// <param name="catalog">The installed plugins; it outlives this.</param>
    /// <param name="server">What the host file says.</param>
    /// <param name="artifacts">The folder of all runs.</param>
    /// <param name="loggers">For plugins' messages.</param>
    /// <param name="load">Loads the tensor library; called only if it is needed.</param>
    /// <param name="cancellation">Ends the loading.</param>
    /// <returns>Null: the plugins of a search by words are not installed, and no file is named.</returns>
    /// <exception cref="ConfigException">The file, a plugin or its settings are wrong.</exception>
    /// <exception cref="UserErrorException">A plugin or a run cannot be used.</exception>
    public static RetrievalEngine? Start(PluginCatalog catalog, ServerConfig server, string artifacts, ILoggerFactory loggers, Action load, CancellationToken cancellation)
    {
        if (server.Retrieval is null)
            return catalog.Find("index.sqlite") is null || catalog.Find("retriever.lexical") is null ? null
                : Words(catalog, Use("index.sqlite"), 1000, "the host file names no retrieval file (server.retrieval)", loggers, cancellation);
        var config = RetrievalFile.Read(server.Retrieval);
        var folder = new RetrievalFolder(artifacts, config.Name);
        if (folder.TowersRun is not { } run) return Words(catalog, config.Index, config.ChunkCharacters, $"the towers of the retrieval '{config.Name}' are not trained; train them with 'pluginhost retrieve build {server.Retrieval}' and start the server again", loggers, cancellation);
        load();
        var owned = new Stack<IDisposable>();
        var models = new TrainedModels(catalog, artifacts, loggers, cancellation);
        owned.Push(models);
        try
        {
            var encoder = models.Pairs(run, CPU);
            var identity = models.Identity(run);
            var space = identity[..16];
            OpenedIndex Opened(string path)
            {
                var plugins = new RetrievalPlugins(catalog, loggers, cancellation);
                return Guard(plugins, () => plugins.Index(config.Index, path, encoder.Width), index => plugins.Retriever(config.Retriever, index, encoder));
            }
            IReranker? Second()
            {
                if (config.Reranker is not { } reranking || folder.RerankerRun(identity) is not { } trained) return null;
                var plugins = new RetrievalPlugins(catalog, loggers, cancellation);
                owned.Push(plugins);
                return plugins.Reranker(reranking.Use, models.Passages(trained, CPU));
            }
            var second = Second();
            var candidates = config.Reranker?.Candidates ?? 0;
            var built = Path.Combine(folder.Index, space);
            IRetriever? corpus = null;
            if (Directory.Exists(built))
            {
                var opened = Opened(built);
                owned.Push(opened);
                corpus = second is null ? opened.Retriever : new RerankedRetriever(opened.Retriever, second, candidates);
            }
            return new RetrievalEngine
            {
                Retriever = config.Retriever.Id,
                Space = space,
                Open = Opened,
                Encoder = run,
                Towers = encoder,
                Chunk = config.ChunkCharacters,
                Corpus = corpus,
                Reranker = second,
                RerankerName = second is null ? null : config.Reranker!.Use.Id,
                Candidates = candidates,
                owned = owned,
            };
        }
        catch
        {
            while (owned.TryPop(out var item)) item.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (owned.TryPop(out var item)) item.Dispose();
    }

    private static RetrievalEngine Words(PluginCatalog catalog, PluginUse index, int chunk, string reason, ILoggerFactory loggers, CancellationToken cancellation) => new()
    {
        Retriever = "retriever.lexical",
        Space = "words",
        Reason = reason,
        Chunk = chunk,
        Open = path =>
        {
            var plugins = new RetrievalPlugins(catalog, loggers, cancellation);
            return Guard(plugins, () => plugins.Index(index, path, 0), opened => plugins.Retriever(Use("retriever.lexical"), opened, null));
        },
    };

    private static OpenedIndex Guard(RetrievalPlugins plugins, Func<IDocumentIndex> open, Func<IDocumentIndex, IRetriever> search)
    {
        try
        {
            var index = open();
            return new OpenedIndex(index, search(index), plugins);
        }
        catch
        {
            plugins.Dispose();
            throw;
        }
    }

    private static PluginUse Use(string id) => new(id, null, Nowhere);
}
