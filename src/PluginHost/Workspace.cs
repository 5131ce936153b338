using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Artifacts.Models;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Evaluation;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost;

/// <summary>A checked project brought to life: catalog, plan, data, tokenizer and graph, all released together.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly List<IDisposable> owned = [];

    private Workspace(ProjectConfig project, PluginCatalog catalog, Dataset data, LiveGraph graph, IReadOnlyList<object> metrics, IReadOnlyList<IWeightingPlugin?> weightings, IReadOnlyList<ITuningPlugin?> tunings, Device device)
    {
        (Project, Catalog, Data, Graph, Metrics, Weightings, Tunings, Device) = (project, catalog, data, graph, metrics, weightings, tunings, device);
    }

    public ProjectConfig Project { get; }

    public PluginCatalog Catalog { get; }

    /// <summary>The plan of the graph that serves now.</summary>
    public GraphPlan Plan => Graph.Plan;

    public Dataset Data { get; }

    /// <summary>Decodes media that come as bytes.</summary>
    public required InlineMedia Media { get; init; }

    public LiveGraph Graph { get; }

    /// <summary>The metric of each evaluation, in plan order.</summary>
    public IReadOnlyList<object> Metrics { get; }

    /// <summary>The weighting of each stage; null where it has none.</summary>
    public IReadOnlyList<IWeightingPlugin?> Weightings { get; }

    /// <summary>The tuning of each stage; null where it has none.</summary>
    public IReadOnlyList<ITuningPlugin?> Tunings { get; }

    public Device Device { get; }

    /// <summary>Opens a project. Everything is planned and checked before the first plugin is loaded.</summary>
    /// <param name="project">The project.</param>
    /// <param name="host">The host file.</param>
    /// <param name="tokenizer">A saved tokenizer.json; null: one is trained on the corpus.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="loggers">For plugins' messages.</param>
    /// <param name="cancellation">Ends the opening.</param>
    public static Workspace Open(ProjectConfig project, HostConfig host, string? tokenizer, long seed, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var owned = new List<IDisposable>();
        try
        {
            var catalog = Own(PluginCatalog.Discover(host, loggers));
            var plan = GraphPlanner.Plan(project, catalog.Installed);
            NativeTorch.Load();
            var device = Choose(host.Device);

            BuildContext Context(PluginDescription plugin, params IReadOnlyList<object> supplied) => new()
            {
                Device = device,
                Seed = seed,
                Logger = loggers.CreateLogger(plugin.Id),
                Cancellation = cancellation,
                ContentFolder = plugin.Folder,
                Supplied = supplied,
            };
            PluginLease Lease(PlannedPlugin plugin) => Own(catalog.Lease(plugin.Description, plugin.Settings));

            var media = plan.Media.Select(plugin => new MediaPlugin(plugin.Description.Id, plugin.Description.Accepts, Lease(plugin).Guarded<IMediaDecoder>())).ToList();
            var folder = Path.GetDirectoryName(Path.GetFullPath(project.Path))!;
            var format = Dataset.FormatOf(project.Data);
            var rejections = new RejectionLog();
            var templates = plan.Templates is { } words ? Lease(words).As<ITemplatePlugin>().Open(Context(words.Description), folder) : null;
            ISource Open(PlannedPlugin plugin) => Own(TemplatedSource.Of(
                Lease(plugin).As<ISourcePlugin>().Open(new SourceContext(Context(plugin.Description), format, folder, rejections.Add) { Instructions = templates is not null }), templates));
            var source = MixedSource.Of([.. plan.Sources.Select(item => new WeightedSource(FoldedSource.Without(Open(item.Plugin), project.Data.Folds, project.Data.Fold), item.Weight))]);
            var data = Own(new Dataset(project.Data, source, media, rejections, device)
            {
                Modalities = plan.Modalities,
                Captions = plan.SampleSlots[(int)SamplePort.Caption] >= 0,
                Pairs = SamplePorts.All.Any(port => SamplePorts.IsPair(port) && plan.SampleSlots[(int)port] >= 0),
                Transforms = [.. plan.Transforms.Select(item => new ChosenTransform(item.Plugin.Description.Id, item.Chance, Lease(item.Plugin).Guarded<ITransform>()))],
            });
            if (plan.Tokenizer is { } used)
            {
                var plugin = Lease(used).As<ITokenizerPlugin>();
                tokenizer ??= project.Data.TokenizerFrom is { } from ? File.ReadAllText(Path.Combine(from, "tokenizer.json")) : null;
                data.Tokenizer = tokenizer is null
                    ? plugin.Train(Dataset.Corpus(source, project.Data.Corpus), Context(used.Description))
                    : plugin.Load(tokenizer, Context(used.Description));
            }
            var graph = Own(new LiveGraph(ExecutableGraph.Build(plan, catalog, new GraphSettings(device, seed, loggers, cancellation))));
            var weightings = plan.Stages.Select(stage => stage.Weighting is { } weighting ? Lease(weighting).Guarded<IWeightingPlugin>() : null).ToList();
            var tunings = plan.Stages.Select(stage => stage.Tuning is { } tuning ? (ITuningPlugin)new LeasedTuning(Lease(tuning.Plugin)) : null).ToList();
            var models = Own(new TrainedModels(catalog, host.Artifacts, loggers, cancellation));
            foreach (var (evaluation, requirement) in plan.Evaluations.SelectMany(evaluation => evaluation.Requirements.Select(requirement => (evaluation, requirement))))
                if (models.Refusal(requirement.Capability, requirement.Run) is { } refusal) throw new UserErrorException($"'{requirement.Setting}' of {evaluation.Metric.Description.Id}: {refusal}");
            object Metric(PlannedEvaluation evaluation)
            {
                var lease = Own(catalog.Lease(evaluation.Metric.Description, evaluation.Metric.Settings));
                if (lease.Description.Implements<IEmbeddingMetric>()) return lease.Guarded<IEmbeddingMetric>();
                if (lease.Description.Implements<ITextMetric>()) return lease.Guarded<ITextMetric>();
                // What it requires is loaded when it is asked for the first time.
                return new SurroundedMetric(lease.Guarded<IMediaMetric>(), () => Context(lease.Description, [.. evaluation.Requirements.Select(requirement => models.Supply(requirement, device))]));
            }
            var metrics = plan.Evaluations.Select(Metric).ToList();
            var workspace = new Workspace(project, catalog, data, graph, metrics, weightings, tunings, device) { Media = new InlineMedia(media, format) };
            workspace.owned.AddRange(owned);
            return workspace;
        }
        catch
        {
            Release(owned);
            throw;
        }

        T Own<T>(T value) where T : IDisposable
        {
            owned.Add(value);
            return value;
        }
    }

    /// <summary>Loads the weights of nodes that take them from a run or an imported model (<c>"from"</c>).</summary>
    /// <exception cref="UserErrorException">They do not fit; the message lists how.</exception>
    public void LoadFrom()
    {
        using var use = Graph.Acquire();
        foreach (var node in Project.Graph.Where(node => node.From is not null))
            StartingWeights.Load(new RunFolder(node.From!), node.Name, node.Use.Id, use.Graph.Weights);
    }

    /// <summary>Loads weights of a run into the graph, and attaches the adapters without which they are not the run's model.</summary>
    public void LoadWeights(RunFolder run)
    {
        using var use = Graph.Acquire();
        owned.AddRange(ModelFile.Load(run, run.Model, use.Graph, Catalog));
    }

    public void Dispose() => Release(owned);

    private static void Release(List<IDisposable> owned)
    {
        for (var i = owned.Count - 1; i >= 0; i--) owned[i].Dispose();
        owned.Clear();
    }

    private static Device Choose(string name) => name switch
    {
        "auto" => cuda.is_available() ? CUDA : CPU,
        "cpu" => CPU,
        "cuda" when !cuda.is_available() => throw new UserErrorException("host.json asks for the device 'cuda', but this build of libtorch sees none; build with -p:Torch=cuda on a machine with a GPU, or use 'auto'."),
        "cuda" => CUDA,
        _ => throw new UserErrorException($"host.json: the device '{name}' is unknown; use 'auto', 'cpu' or 'cuda'."),
    };
}
