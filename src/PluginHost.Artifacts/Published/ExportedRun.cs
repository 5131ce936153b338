using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>A run's graph with its weights on the CPU, to be written out. Its towers are those that describe themselves.</summary>
public sealed class ExportedRun : IDisposable
{
    private readonly ExecutableGraph graph;
    private readonly HashSet<string> prefixed;

    private ExportedRun(RunFolder folder, ExecutableGraph graph, HashSet<string> prefixed) => (Folder, this.graph, this.prefixed) = (folder, graph, prefixed);

    public RunFolder Folder { get; }

    public GraphPlan Plan => graph.Plan;

    internal IReadOnlyList<BuiltNode> Nodes => graph.Nodes;

    /// <summary>The text of the run's <c>tokenizer.json</c>.</summary>
    public string TokenizerJson => File.ReadAllText(Folder.Tokenizer);

    /// <summary>Opens a run.</summary>
    /// <exception cref="UserErrorException">It has no weights yet, or they do not fit its graph.</exception>
    public static ExportedRun Open(RunFolder folder, PluginCatalog catalog, ILoggerFactory loggers, CancellationToken cancellation)
    {
        if (!File.Exists(folder.Model)) throw new UserErrorException($"the run '{folder.Name}' has no weights ({folder.Model}); finish it with 'pluginhost run --resume {folder.Name}', or name another.");
        var project = ProjectFile.Read(folder.Project, []);
        // What was trained is written, not how: objectives, metrics and filters are nobody's business any more.
        var plan = GraphPlanner.Plan(project with { Data = project.Data with { Filters = [], Transforms = [] }, Stages = [], Evaluate = [] }, catalog.Installed);
        var graph = ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, project.Seed, loggers, cancellation));
        try
        {
            var adapters = ModelFile.Load(folder, folder.Model, graph, catalog);
            var prefixed = Prefixed(graph, adapters);
            foreach (var adapter in adapters) adapter.Dispose();
            graph.Train(false);
            return new ExportedRun(folder, graph, prefixed);
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }

    /// <summary>The decoder of a graph that feeds it nothing but text, described.</summary>
    /// <param name="format">For the message.</param>
    /// <exception cref="UserErrorException">There is none; the message says why.</exception>
    public TowerDescription TextDecoder(string format)
    {
        var node = Plan.DecoderNode is { } planned ? graph.Nodes.First(node => node.Name == planned.Name) : throw new UserErrorException($"the run '{Folder.Name}' has no decoder, and {format} holds a decoder; its encoders can be exported with --format onnx.");
        if (node.Plan.Inputs.FirstOrDefault(input => input.Name == "context" && input.Source is not null) is { } context)
            throw new UserErrorException($"the decoder '{node.Name}' of the run '{Folder.Name}' reads '{context.Source}': {format} holds a decoder of text alone, and without what it reads this one would answer otherwise.");
        return Describe(node);
    }

    /// <summary>What a node's tower is made of.</summary>
    /// <exception cref="UserErrorException">The node does not say, or is not all: a prefix stands before what it reads.</exception>
    internal TowerDescription Describe(BuiltNode node) => prefixed.Contains(node.Name)
        ? throw new UserErrorException($"'{node.Name}' of the run '{Folder.Name}' answers with a prefix, which is no weight that a file of its tower could hold; export a run whose last stage tunes weights (tuning.full, tuning.lora).")
        : node.Node is IDescribedTower tower
        ? tower.Describe()
        : throw new UserErrorException($"'{node.Name}' ({node.Plan.Description.Id} {node.Plan.Description.Version}) does not describe its tower, so it cannot be exported.");

    public void Dispose() => graph.Dispose();

    // What could be merged has been; what is left fills key/value slots.
    private static HashSet<string> Prefixed(ExecutableGraph graph, IReadOnlyList<LoadedAdapter> adapters)
    {
        using var scope = NewDisposeScope();
        var everything = new BatchMedia(1, graph.Plan.Modalities.ToDictionary(modality => modality, _ => ones(1, dtype: ScalarType.Bool)));
        var filled = adapters.SelectMany(adapter => adapter.Tuning.Adapters(everything).Slots.Keys).ToHashSet();
        return [.. graph.Nodes.Where(node => node.Node is ITower tower && tower.KeyValueSlots.Any(filled.Contains)).Select(node => node.Name)];
    }
}
