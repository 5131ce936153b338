using System.IO.Enumeration;
using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>A stage of training: how long, on what, and how.</summary>
public sealed record StageConfig
{
    public required string Name { get; init; }

    /// <summary>Whose weights it begins with: an earlier stage's or a finished run's; null: those that the stage before it left.</summary>
    public StageStart? From { get; init; }

    /// <summary>How it trains the graph it begins with; null: every weight that is not frozen, as in pretraining.</summary>
    public TuningConfig? Tuning { get; init; }

    /// <summary>Whether the model is rated after this stage too, and not after the last alone.</summary>
    public bool Evaluate { get; init; }

    /// <summary>Optimizer steps. Range 1 to 1e8.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Samples in a micro-batch. Range 1 to 65536.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Micro-batches in a step. Range 1 to 65536.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Micro-batches that run at once, each on its share of the cores: faster on a CPU where the model is small. Range 1 to <see cref="Accumulate"/>.</summary>
    public int Parallel { get; init; } = 1;

    /// <summary>Peak learning rate. Range 0 to 10.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Whether the file gives <see cref="LearningRate"/>; a tuned stage without takes the part of pretraining's that its tuning names.</summary>
    public bool GivesLearningRate { get; init; }

    /// <summary>Steps of linear warm-up; then the rate falls along a cosine to <see cref="FinalRate"/>. Range 0 to 1e8.</summary>
    public int Warmup { get; init; } = 100;

    /// <summary>The rate at the last step, as a part of the peak. Range 0 to 1.</summary>
    public double FinalRate { get; init; } = 0.05;

    /// <summary>Decoupled weight decay of AdamW. Range 0 to 10.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Longest allowed gradient (L2 norm over all parameters). Range 1e-6 to 1e6.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>Turns (by task) that become <c>sample.text</c>; a trailing <c>*</c> matches any ending. Empty: all.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>How likely turns are drawn, by patterns of tasks of which the first that matches counts; 1 without. Range 0.001 to 1000.</summary>
    public IReadOnlyList<TaskWeight> TaskWeights { get; init; } = [];

    /// <summary>Turns drawn from a sample for one row; each is a segment of its own. Range 1 to 1024.</summary>
    public int Turns { get; init; } = 4;

    /// <summary>Answers that each question of <c>sample.candidates</c> has to choose from, the right one included. Range 2 to 1024.</summary>
    public int Candidates { get; init; } = 4;

    /// <summary>Steps between validations; 0: only at the end. Range 0 to 1e8.</summary>
    public int ValidateEvery { get; init; }

    /// <summary>Steps between checkpoints; 0: only at the end, and wherever a validation is the stage's best. Range 0 to 1e8.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Checkpoints kept, the newest of the run; those of each stage's best validation are kept besides. Range 1 to 1000.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Parameters that this stage does not train.</summary>
    public IReadOnlyList<NamePattern> Freeze { get; init; } = [];

    /// <summary>Parameters with a learning rate or a weight decay of their own; the first group that matches counts.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; init; } = [];

    /// <summary>Decay of the moving average of the weights, evaluated and saved beside the model; 0: none. Range 0 to 0.999999.</summary>
    public double Ema { get; init; }

    /// <summary>
    /// Number format of the linear maps: <c>fp32</c>, <c>bf16</c>, <c>fp16</c> or <c>fp8</c>. Norms, softmax, losses and the weights that are
    /// trained stay in fp32. On a CPU the narrow formats are emulated, which shows what they do to the numbers and saves no time.
    /// </summary>
    public string Precision { get; init; } = StagePrecisions.Fp32;

    /// <summary>Loss scaling, for <c>fp16</c>.</summary>
    public LossScaleConfig LossScale { get; init; } = new();

    public required IReadOnlyList<NodeConfig> Objectives { get; init; }

    /// <summary>What weighs the objectives against each other from step to step, besides their own weights; null: nothing does.</summary>
    public WeightingConfig? Weighting { get; init; }
}

/// <summary>Where a stage begins.</summary>
/// <param name="Name">A stage before it, or a run: folder, name or alias.</param>
/// <param name="Location">Where it stands, for messages.</param>
public sealed record StageStart(string Name, JsonLocation Location);

/// <summary>How a stage tunes a graph.</summary>
/// <param name="Use">The plugin.</param>
/// <param name="From">A saved adapter's folder to go on with; null: a new one. Relative to the project's folder.</param>
public sealed record TuningConfig(PluginUse Use, StageStart? From);

/// <summary>Names of parameters, with <c>*</c> for any characters: <c>decoder.*</c>, <c>*.norm.weight</c>.</summary>
/// <param name="Text">The pattern.</param>
/// <param name="Location">Where it stands, for messages.</param>
public sealed record NamePattern(string Text, JsonLocation Location)
{
    /// <summary>Whether a name is one of them.</summary>
    public bool Matches(string name) => FileSystemName.MatchesSimpleExpression(Text, name, ignoreCase: false);
}

/// <summary>Parameters that are trained in their own way.</summary>
/// <param name="Match">Which.</param>
/// <param name="LearningRate">Peak learning rate; null: the stage's. Range 0 to 10.</param>
/// <param name="WeightDecay">Decoupled weight decay; null: the stage's. Range 0 to 10.</param>
public sealed record ParameterGroup(NamePattern Match, double? LearningRate, double? WeightDecay);

/// <summary>What weighs the objectives of a stage.</summary>
/// <param name="Use">The plugin.</param>
/// <param name="Shared">Parameters over which gradient norms of objectives are compared; empty: all that are trained.</param>
public sealed record WeightingConfig(PluginUse Use, IReadOnlyList<NamePattern> Shared);

/// <summary>The values of <see cref="StageConfig.Precision"/>.</summary>
public static class StagePrecisions
{
    public const string Fp32 = "fp32";
    public const string Bf16 = "bf16";
    public const string Fp16 = "fp16";
    public const string Fp8 = "fp8";

    public static IReadOnlyList<string> All { get; } = [Fp32, Bf16, Fp16, Fp8];
}

/// <summary>Loss scaling: a scale doubles after so many steps without overflow and halves at an overflow, whose step is skipped.</summary>
/// <param name="Initial">The scale at the start. Range 1 to 2^40.</param>
/// <param name="Interval">Steps without overflow after which it doubles. Range 1 to 1e8.</param>
public sealed record LossScaleConfig(double Initial = 65536, int Interval = 2000);
