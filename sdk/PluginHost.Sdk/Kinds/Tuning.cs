using System.Text.Json.Nodes;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>Kind <c>tuning</c>: what a stage trains of a graph, and how. A method works through <see cref="ITower"/> alone.</summary>
public interface ITuningPlugin
{
    /// <summary>Begins the tuning of a graph, whose weights stay as they are.</summary>
    /// <param name="context">The graph. Torch's generator is seeded: what is drawn depends on the run's seed alone.</param>
    /// <exception cref="UserErrorException">The settings do not fit the graph: a target that it does not have, a rank above a width.</exception>
    ITuning Begin(TuningContext context);
}

/// <summary>
/// The tuning of one graph. Whoever began it disposes it; by then it must not be in use. <see cref="Adapters"/> is safe for concurrent calls, all else is
/// called by one thread while no other runs the graph.
/// </summary>
public interface ITuning : IDisposable
{
    /// <summary>
    /// What is trained, and nothing else: parameters of its own, and those of the graph that it trains in place. Under these names an adapter is
    /// saved and loaded.
    /// </summary>
    IReadOnlyList<TunedParameter> Parameters { get; }

    /// <summary>Peak learning rate as a part of pretraining's, for a stage that names none.</summary>
    double RateOfPretraining { get; }

    /// <summary>
    /// What a saved adapter says of itself, in the keys of PEFT's <c>adapter_config.json</c>: whatever the plugin's settings know under a name or
    /// an alias are its settings when it is loaded. Null: all that it trains are the graph's own weights, and the model is all there is to save.
    /// </summary>
    JsonObject? Config { get; }

    /// <summary>Whether <see cref="Merge"/> can put it into the weights.</summary>
    bool CanMerge { get; }

    /// <summary>What is added to the towers in a pass over a batch; nothing while it is merged. Tensors that depend on the batch belong to the caller's dispose scope.</summary>
    AdapterSet Adapters(BatchMedia media);

    /// <summary>Switches dropout and the like on or off.</summary>
    void Train(bool on);

    /// <summary>Adds it to the weights of the graph, so that nothing needs to be attached.</summary>
    /// <exception cref="InvalidOperationException">It is merged already, or cannot be.</exception>
    void Merge();

    /// <summary>Gives the weights back as they were before, bit for bit.</summary>
    /// <exception cref="InvalidOperationException">It is not merged.</exception>
    void Unmerge();
}

/// <summary>A parameter that a tuning trains.</summary>
/// <param name="Name">Its name in a saved adapter.</param>
/// <param name="Value">The parameter.</param>
/// <param name="RateFactor">Its learning rate as a part of the stage's.</param>
public sealed record TunedParameter(string Name, Parameter Value, double RateFactor = 1);

/// <summary>Which media the rows of a batch hold.</summary>
/// <param name="rows">Number of rows.</param>
/// <param name="masks">By modality (<c>image</c>, <c>audio</c>, <c>video</c>) what is real of it, bool [rows, ...]; a modality that the graph does not read is left out.</param>
public sealed class BatchMedia(long rows, IReadOnlyDictionary<string, Tensor> masks)
{
    /// <summary>Number of rows.</summary>
    public long Rows { get; } = rows;

    /// <summary>Which rows hold a modality, bool [rows]; null when none can. Every row holds <c>text</c>.</summary>
    public Tensor? Holding(string modality) =>
        modality == "text" ? ones(Rows, dtype: ScalarType.Bool)
        : !masks.TryGetValue(modality, out var mask) ? null
        : mask.dim() == 1 ? mask : mask.reshape(mask.size(0), -1).any(1);
}

/// <summary>What a tuning method knows of the graph that it tunes.</summary>
/// <param name="Build">Device, type, seed and logger.</param>
/// <param name="Nodes">Nodes and objectives in the graph's order.</param>
public sealed record TuningContext(BuildContext Build, IReadOnlyList<TunedNode> Nodes)
{
    /// <summary>Media that the graph reads, as <c>image</c>, <c>audio</c> and <c>video</c>.</summary>
    public IReadOnlyList<string> Modalities { get; init; } = [];

    /// <summary>The projections of all towers that targets name, each once, with the name of its node before its own: <c>decoder.layers.3.attention.q_proj</c>.</summary>
    /// <param name="targets">
    /// As in PEFT a name or its end after a dot: <c>q_proj</c>, <c>attention.q_proj</c>. With <c>*</c> for any characters it is the whole name:
    /// <c>decoder.*.q_proj</c>.
    /// </param>
    /// <exception cref="UserErrorException">A target names none; the message names the nearest.</exception>
    public IReadOnlyList<(string Name, Projection Projection)> Projections(IReadOnlyList<string> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        var all = Nodes.Where(node => node.Tower is not null).SelectMany(node => node.Tower!.Projections.Select(item => (Name: $"{node.Name}.{item.Name}", Projection: item))).ToList();
        foreach (var target in targets)
            if (!all.Any(item => NamePart.Matches(target, item.Name)))
                throw new UserErrorException($"'{target}' names no projection of this graph; {NamePart.Nearest(target, all.Select(item => item.Name))}");
        return [.. all.Where(item => targets.Any(target => NamePart.Matches(target, item.Name)))];
    }

    /// <summary>The parameters of modules that are to be trained and saved whole, each once.</summary>
    /// <param name="modules">Names or parts of names between dots, such as <c>fusion</c>; with <c>*</c> whole names.</param>
    /// <exception cref="UserErrorException">One names nothing; the message names the nearest.</exception>
    public IReadOnlyList<(string Name, Parameter Value)> Modules(IReadOnlyList<string> modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        var all = Nodes.SelectMany(node => node.Parameters).ToList();
        foreach (var module in modules)
            if (!all.Any(item => NamePart.Contains(module, item.Name)))
                throw new UserErrorException($"'{module}' names no module of this graph; {NamePart.Nearest(module, all.Select(item => item.Name))}");
        return [.. all.Where(item => modules.Any(module => NamePart.Contains(module, item.Name)))];
    }
}

/// <summary>A node or an objective of a graph, as tuning methods see it.</summary>
/// <param name="Name">Its name: <c>decoder</c>, <c>objectives.align</c>.</param>
/// <param name="Parameters">All its parameters by the names of the graph: <c>decoder.embedding</c>.</param>
/// <param name="Tower">What it exposes; null when it is no tower.</param>
public sealed record TunedNode(string Name, IReadOnlyList<(string Name, Parameter Value)> Parameters, ITower? Tower);
