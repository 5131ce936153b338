using PluginHost.Catalog;
using PluginHost.Config;

namespace PluginHost.Graph;

/// <summary>A wired or left out input.</summary>
/// <param name="Name">The port's name; for a variadic input the config's.</param>
/// <param name="Source">Where it comes from: <c>image.tokens</c>; null when it is not wired.</param>
/// <param name="Slot">The slot it is read from; -1 when it is not wired.</param>
/// <param name="Shape">What arrives.</param>
public sealed record PlannedInput(string Name, string? Source, int Slot, PortShape Shape);

/// <summary>An output.</summary>
public sealed record PlannedOutput(string Name, PortShape Shape, int Slot);

/// <summary>A plugin that is no node (source, tokenizer, media decoder), with its settings.</summary>
public sealed record PlannedPlugin(PluginDescription Description, IReadOnlyDictionary<string, object?> Settings)
{
    /// <summary>What the host is to supply; what is optional and not asked for is left out.</summary>
    public IReadOnlyList<PlannedRequirement> Requirements { get; init; } = [];
}

/// <summary>A capability of a trained run that a plugin is to get.</summary>
/// <param name="Capability">Its name: <c>embedding-generator</c>.</param>
/// <param name="Setting">The setting that names the run.</param>
/// <param name="Run">The run as the setting names it: folder, name or alias.</param>
public sealed record PlannedRequirement(string Capability, string Setting, string Run);

/// <summary>A source and how often its samples are taken against those of the others.</summary>
public sealed record PlannedSource(PlannedPlugin Plugin, int Weight);

/// <summary>A transform and the chance with which a sample goes through it.</summary>
public sealed record PlannedTransform(PlannedPlugin Plugin, double Chance);

/// <summary>A graph node, an objective or a metric with everything known about it before it is built.</summary>
/// <param name="Name">The name in the config.</param>
/// <param name="Description">Its plugin.</param>
/// <param name="Settings">All settings, defaults filled in.</param>
/// <param name="Inputs">In the order in which the node gets them.</param>
/// <param name="Outputs">In the order in which the node gives them.</param>
/// <param name="Dimensions">The symbols of its ports that have a value.</param>
/// <param name="Parameters">Number of trained parameters, when the plugin says so.</param>
/// <param name="ActivationFloats">Floats kept for the backward pass of one micro-batch of the first stage, when the plugin says so.</param>
public sealed record PlannedNode(
    string Name, PluginDescription Description, IReadOnlyDictionary<string, object?> Settings, IReadOnlyList<PlannedInput> Inputs,
    IReadOnlyList<PlannedOutput> Outputs, IReadOnlyDictionary<string, long> Dimensions, long? Parameters, long? ActivationFloats)
{
    /// <summary>What its tower exposes to tuning methods; null when its plugin does not say.</summary>
    public PlannedTower? Tower { get; init; }

    /// <summary>Whether its layers are computed a second time in the backward pass; then the floats kept are not known.</summary>
    public bool Checkpoint { get; init; }
}

/// <summary>The sizes of a tower.</summary>
/// <param name="Layers">Number of layers.</param>
/// <param name="Width">Width of the hidden states.</param>
/// <param name="KeyWidth">Width of a position's keys, over all key/value heads.</param>
/// <param name="FeedForward">Width inside the feed-forward layer.</param>
public sealed record PlannedTower(long Layers, long Width, long KeyWidth, long FeedForward);

/// <summary>The tuning of a stage.</summary>
/// <param name="Plugin">The method.</param>
/// <param name="Trained">Parameters that it trains, as far as its formula says; null: it is not known before it is built.</param>
public sealed record PlannedTuning(PlannedPlugin Plugin, long? Trained);

/// <summary>An objective of a stage.</summary>
public sealed record PlannedObjective(string Name, double Weight, PlannedNode Node);

/// <summary>A stage with its objectives.</summary>
public sealed record PlannedStage(StageConfig Config, IReadOnlyList<PlannedObjective> Objectives)
{
    /// <summary>What weighs the objectives; null: nothing does.</summary>
    public PlannedPlugin? Weighting { get; init; }

    /// <summary>How it tunes the graph; null: it trains every weight that is not frozen.</summary>
    public PlannedTuning? Tuning { get; init; }
}

/// <summary>An evaluation with its metric.</summary>
public sealed record PlannedEvaluation(EvaluationConfig Config, PlannedNode Metric)
{
    /// <summary>What the host is to supply to the metric.</summary>
    public IReadOnlyList<PlannedRequirement> Requirements { get; init; } = [];
}

/// <summary>A project that has been checked as a whole: building it can fail no more for a mistake of the user's.</summary>
public sealed record GraphPlan
{
    public required ProjectConfig Project { get; init; }

    /// <summary>Sources with their weights.</summary>
    public required IReadOnlyList<PlannedSource> Sources { get; init; }

    public PlannedPlugin? Tokenizer { get; init; }

    /// <summary>Words instructions; null: nothing does.</summary>
    public PlannedPlugin? Templates { get; init; }

    /// <summary>Media decoders in order of preference.</summary>
    public required IReadOnlyList<PlannedPlugin> Media { get; init; }

    /// <summary>Rounds of filters of a dataset version, in order.</summary>
    public required IReadOnlyList<IReadOnlyList<PlannedPlugin>> Filters { get; init; }

    /// <summary>Augmentation of training samples, in order.</summary>
    public required IReadOnlyList<PlannedTransform> Transforms { get; init; }

    /// <summary>Number of token ids; 0 without a tokenizer.</summary>
    public required long Vocabulary { get; init; }

    /// <summary>Graph nodes, each after those it reads from.</summary>
    public required IReadOnlyList<PlannedNode> Nodes { get; init; }

    /// <summary>Number of values that travel: sample ports in use and outputs of nodes.</summary>
    public required int SlotCount { get; init; }

    /// <summary>Slot of each <see cref="SamplePort"/>; -1 when nothing reads it.</summary>
    public required IReadOnlyList<int> SampleSlots { get; init; }

    public required IReadOnlyList<PlannedStage> Stages { get; init; }

    public required IReadOnlyList<PlannedEvaluation> Evaluations { get; init; }

    /// <summary>What of the media the graph reads, as <c>image</c>, <c>audio</c> and <c>video</c>; nothing else needs decoding.</summary>
    public IReadOnlyList<string> Modalities => [.. new[] { SamplePort.Image, SamplePort.Audio, SamplePort.Video }.Where(port => SampleSlots[(int)port] >= 0).Select(SamplePorts.NameOf)];

    /// <summary>The one node of kind <c>decoder</c>, or null.</summary>
    public PlannedNode? DecoderNode => Nodes.FirstOrDefault(node => node.Description.Kind == "decoder");

    /// <summary>Without a decoder, the objective that ranks answers: the last one that reads <c>sample.candidates</c>. Null: there is none.</summary>
    public PlannedNode? RankingObjective => DecoderNode is not null ? null : Stages.SelectMany(stage => stage.Objectives).LastOrDefault(objective => ReadsCandidates(objective.Node.Inputs.Select(input => input.Source)))?.Node;

    internal static bool ReadsCandidates(IEnumerable<string?> sources) => sources.Contains(SamplePorts.SourceOf(SamplePort.Candidates));
}
