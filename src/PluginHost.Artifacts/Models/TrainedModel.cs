using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Models;

/// <summary>A run's graph with its weights, to be asked and not trained.</summary>
internal sealed class TrainedModel : IDisposable
{
    private readonly Stack<IDisposable> owned = new();
    private Lazy<GraphEmbedder> embedder = null!;
    private Lazy<GraphTextScorer> scorer = null!;
    private Lazy<IPassageEncoder> pairs = null!;
    private Lazy<GraphPassageScorer> passages = null!;

    private TrainedModel()
    {
    }

    public GraphEmbedder Embedder => embedder.Value;

    public GraphTextScorer TextScorer => scorer.Value;

    public IPassageEncoder Pairs => pairs.Value;

    public GraphPassageScorer Passages => passages.Value;

    /// <summary>Loads a run.</summary>
    /// <exception cref="UserErrorException">Its weights do not fit its graph.</exception>
    public static TrainedModel Open(RunFolder run, GraphPlan plan, PluginCatalog catalog, GraphSettings settings)
    {
        var model = new TrainedModel();
        try
        {
            model.Load(run, plan, catalog, settings);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        while (owned.TryPop(out var item)) item.Dispose();
    }

    private void Load(RunFolder run, GraphPlan plan, PluginCatalog catalog, GraphSettings settings)
    {
        PluginLease Lease(PlannedPlugin plugin) => Own(catalog.Lease(plugin.Description, plugin.Settings));
        var config = plan.Project.Data;
        var plugins = plan.Media.Select(plugin => new MediaPlugin(plugin.Description.Id, plugin.Description.Accepts, Lease(plugin).Guarded<IMediaDecoder>())).ToList();
        var format = Dataset.FormatOf(config);
        var media = new InlineMedia(plugins, format);
        var data = Own(new Dataset(config, new NoSamples(), plugins, new RejectionLog(), settings.Device) { Modalities = plan.Modalities });
        var tokenizer = plan.Tokenizer!;
        data.Tokenizer = Lease(tokenizer).As<ITokenizerPlugin>().Load(File.ReadAllText(run.Tokenizer), new BuildContext
        {
            Device = settings.Device,
            Seed = settings.Seed,
            Logger = settings.Loggers.CreateLogger(tokenizer.Description.Id),
            Cancellation = settings.Cancellation,
            ContentFolder = tokenizer.Description.Folder,
        });
        var graph = Own(ExecutableGraph.Build(plan, catalog, settings));
        foreach (var adapter in ModelFile.Load(run, run.Model, graph, catalog)) Own(adapter);
        graph.Train(false);
        embedder = new(() => Own(new GraphEmbedder(graph, data, media, run.Name, config.Languages[0])));
        // A space of texts and pictures serves where there is none of queries and passages.
        pairs = new(() => PairSpace.Of(plan) is null && SharedSpace.Of(plan).Count > 0 ? Embedder : Own(new GraphPairEncoder(graph, data, run.Name)));
        passages = new(() => Own(new GraphPassageScorer(graph, data, run.Name)));
        scorer = new(() => Own(new GraphTextScorer(graph, data, run.Name)));
    }

    private T Own<T>(T value) where T : IDisposable
    {
        owned.Push(value);
        return value;
    }

    // A trained run is asked, not fed: where its samples came from does not matter any more.
    private sealed class NoSamples : ISource
    {
        public IReadOnlyList<string> Splits => [];

        public string Fingerprint => "";

        public int Count(string split) => 0;

        public Sample Read(string split, int index) => throw new ArgumentOutOfRangeException(nameof(index));

        public void Dispose()
        {
            // holds nothing
        }
    }
}
