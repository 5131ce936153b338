using Microsoft.Extensions.Logging;
using PluginHost.Artifacts.Models;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Retrieval;
using PluginHost.Retrieval.Documents;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Retrieve;

/// <summary>A retrieval whose towers are trained: its models, its index and its plugins, open until this is disposed.</summary>
internal sealed class OpenRetrieval : IDisposable
{
    public static readonly PluginUse Lexical = new("retriever.lexical", null, new("", 0, 0, "$"));
    public static readonly PluginUse Dense = new("retriever.dense", null, new("", 0, 0, "$"));
    public static readonly PluginUse Hybrid = new("retriever.hybrid", null, new("", 0, 0, "$"));

    private readonly RetrievalConfig config;
    private readonly RetrievalFolder folder;
    private readonly TrainedModels models;

    /// <param name="config">The retrieval.</param>
    /// <param name="host">Says where runs are.</param>
    /// <param name="towers">The run of its towers.</param>
    /// <param name="catalog">The installed plugins.</param>
    /// <param name="loggers">For plugins' messages.</param>
    /// <param name="cancellation">Ends the opening.</param>
    public OpenRetrieval(RetrievalConfig config, HostConfig host, string towers, PluginCatalog catalog, ILoggerFactory loggers, CancellationToken cancellation)
    {
        NativeTorch.Load();
        (this.config, folder) = (config, new RetrievalFolder(host.Artifacts, config.Name));
        models = new TrainedModels(catalog, host.Artifacts, loggers, cancellation);
        Plugins = new RetrievalPlugins(catalog, loggers, cancellation);
        try
        {
            Encoder = models.Pairs(towers, CPU);
            // Vectors of other weights are of another space.
            Identity = models.Identity(towers);
            Index = Plugins.Index(config.Index, IndexFolder, Encoder.Width);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public RetrievalPlugins Plugins { get; }

    public IPassageEncoder Encoder { get; } = null!;

    /// <summary>Names the towers' weights.</summary>
    public string Identity { get; } = "";

    public IDocumentIndex Index { get; } = null!;

    public string IndexFolder => Path.Combine(folder.Index, Identity[..16]);

    /// <summary>Vectors of passages.</summary>
    public IReadOnlyList<float[]> Passages(IReadOnlyList<Passage> passages) => Encoder.Passages([.. passages.Select(passage => passage.Content)]);

    public IRetriever Retriever(PluginUse use) => Plugins.Retriever(use, Index, Encoder);

    /// <summary>The second stage; null where the file has none, or it has not been trained behind these towers.</summary>
    public IReranker? Reranker() => config.Reranker is { } reranking && folder.RerankerRun(Identity) is { } run ? Plugins.Reranker(reranking.Use, models.Passages(run, CPU)) : null;

    public void Dispose()
    {
        Plugins.Dispose();
        models.Dispose();
    }
}
