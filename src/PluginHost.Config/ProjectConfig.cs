using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>A project file: one model, from its data to its evaluation. Immutable; settings of plugins stay JSON until bound.</summary>
public sealed record ProjectConfig
{
    /// <summary>The file it was read from.</summary>
    public required string Path { get; init; }

    public required string Name { get; init; }

    /// <summary>Seed of everything random: data order, initial weights, sampling. Range 0 to 2^63 - 1.</summary>
    public long Seed { get; init; } = 1;

    public required DataConfig Data { get; init; }

    /// <summary>Graph nodes by name, in the order of the file.</summary>
    public required IReadOnlyList<NodeConfig> Graph { get; init; }

    public IReadOnlyList<StageConfig> Stages { get; init; } = [];

    public IReadOnlyList<EvaluationConfig> Evaluate { get; init; } = [];

    /// <summary>The file's tree with all overrides applied, for the run record.</summary>
    public JsonElementNode Source { get; init; } = JsonElementNode.Object(new JsonLocation("", 0, 0, "$"), []);
}

/// <summary>Where a plugin is used: its id and its settings. A plain string in the file means an id without settings.</summary>
/// <param name="Id">Plugin id, such as <c>fusion.mid</c>.</param>
/// <param name="Settings">The settings object, or null when the file has none.</param>
/// <param name="Location">Where the use stands, for messages.</param>
public sealed record PluginUse(string Id, JsonElementNode? Settings, JsonLocation Location);

/// <summary>A wire: an input's name and the port it is connected to.</summary>
/// <param name="Input">Name of the input.</param>
/// <param name="Source">The port it comes from: <c>image.tokens</c>, <c>sample.text</c>.</param>
/// <param name="Location">Where the wire stands, for messages.</param>
public sealed record Wire(string Input, string Source, JsonLocation Location);

/// <summary>A named plugin use with wires: a graph node, an objective or a metric.</summary>
public sealed record NodeConfig(string Name, PluginUse Use, IReadOnlyList<Wire> In)
{
    /// <summary>Weight of an objective in the total loss; 1 for everything else. Range 0 to 1e6.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The run or imported model that a graph node's first weights come from; null: they are drawn.</summary>
    public string? From { get; init; }

    /// <summary>Whether a graph node computes its layers a second time in the backward pass instead of keeping what they made.</summary>
    public bool Checkpoint { get; init; }
}

/// <summary>A transform and the chance with which a sample goes through it.</summary>
/// <param name="Use">The plugin.</param>
/// <param name="Chance">Range 0 to 1.</param>
public sealed record TransformConfig(PluginUse Use, double Chance);

/// <summary>A source and how often its samples are taken against those of the others.</summary>
/// <param name="Use">The plugin.</param>
/// <param name="Weight">Samples of every so many as all weights add up to. Range 1 to 1000.</param>
public sealed record SourceConfig(PluginUse Use, int Weight);

public sealed record DataConfig
{
    /// <summary>The run, imported model or folder whose <c>tokenizer.json</c> is used; null: the tokenizer learns from the corpus.</summary>
    public string? TokenizerFrom { get; init; }

    /// <summary>Where samples come from; several (<c>mix</c>) are mixed by their weights in training.</summary>
    public required IReadOnlyList<SourceConfig> Sources { get; init; }

    /// <summary>Tokenizer of all text; absent when the project has no text.</summary>
    public PluginUse? Tokenizer { get; init; }

    /// <summary>Samples of the training split from which a tokenizer learns its vocabulary. Range 1 to 10,000,000.</summary>
    public int Corpus { get; init; } = 2000;

    /// <summary>Folds that the training samples of a source are of; 1: all are learnt from. Range 1 to 1000.</summary>
    public int Folds { get; init; } = 1;

    /// <summary>The fold that training leaves out, where there are several. Range 0 to one less than there are.</summary>
    public int Fold { get; init; }

    /// <summary>Words the instructions that sources know; null: only what sources ask themselves.</summary>
    public PluginUse? Templates { get; init; }

    /// <summary>Media decoders in order of preference; empty means every installed one.</summary>
    public IReadOnlyList<PluginUse> Media { get; init; } = [];

    /// <summary>Rounds of filters of a dataset version, in order: what one round drops, the next does not see.</summary>
    public IReadOnlyList<IReadOnlyList<PluginUse>> Filters { get; init; } = [];

    /// <summary>Augmentation of training samples, in order.</summary>
    public IReadOnlyList<TransformConfig> Transforms { get; init; } = [];

    /// <summary>Width and height of pictures, in pixels. Range 8 to 1024.</summary>
    public int ImageSize { get; init; } = 32;

    /// <summary>Sampling rate of sounds, in hertz. Range 2000 to 48000.</summary>
    public int AudioRate { get; init; } = 8000;

    /// <summary>Length of sounds, in seconds. Range 0.1 to 30.</summary>
    public double AudioSeconds { get; init; } = 1;

    /// <summary>Width and height of a video's frames, in pixels. Range 8 to 1024.</summary>
    public int VideoSize { get; init; } = 32;

    /// <summary>Frames of a video at most. Range 1 to 1024.</summary>
    public int VideoFrames { get; init; } = 8;

    /// <summary>Frames a second. Range 0.1 to 60.</summary>
    public double VideoRate { get; init; } = 4;

    /// <summary>Longest text row, in tokens; what is longer is cut whole turns at a time. Range 8 to 8192.</summary>
    public int TextLength { get; init; } = 256;

    /// <summary>
    /// Length bucketing: the samples of so many neighbouring batches are sorted by the length of their texts, which leaves less padding. 1: none.
    /// Range 1 to 1000.
    /// </summary>
    public int TextBucket { get; init; } = 1;

    /// <summary>Threads that read and decode ahead of the training; what they give does not depend on how many. 0: one for each core, at most 8. Range 0 to 64.</summary>
    public int Workers { get; init; }

    /// <summary>Longest time that a decoder may take for one medium, in seconds; when it is over, it may try once more for twice as long. Range 0.1 to 3600.</summary>
    public double DecodeSeconds { get; init; } = 30;

    /// <summary>Languages of captions, drawn by equal chance in training; the first is the one evaluated unless an evaluation says otherwise.</summary>
    public IReadOnlyList<string> Languages { get; init; } = ["en"];
}

/// <summary>One evaluation: a metric, what it is wired to, and the part of the data it is run on.</summary>
public sealed record EvaluationConfig
{
    /// <summary>The metric with its settings and wires; the name is the plugin id unless the file gives one.</summary>
    public required NodeConfig Metric { get; init; }

    /// <summary>Splits, each reported by itself; those the source does not have are left out.</summary>
    public IReadOnlyList<string> Splits { get; init; } = ["test"];

    /// <summary>For text metrics: the tasks asked about; a trailing <c>*</c> matches any ending. Empty: all.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>Language of captions; null: the project's first.</summary>
    public string? Language { get; init; }

    /// <summary>Only samples that have all of these: <c>image</c>, <c>audio</c>, <c>video</c>.</summary>
    public IReadOnlyList<string> Require { get; init; } = [];

    /// <summary>Samples at most; 0: all of the split. Range 0 to 2^31 - 1.</summary>
    public int Limit { get; init; }

    /// <summary>For embedding metrics, what the reported name ends in: <c>image->text</c>. Null: made from the wires.</summary>
    public string? Label { get; init; }
}
