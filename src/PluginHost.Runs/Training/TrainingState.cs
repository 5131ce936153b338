using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>Everything that a killed run needs to go on bit for bit: weights, optimizer, random generator, position.</summary>
/// <param name="Stage">Index of the stage.</param>
/// <param name="Step">Steps of the stage already taken.</param>
/// <param name="Seconds">Time already spent in the stage.</param>
/// <param name="Tokens">Tokens already seen in the stage.</param>
/// <param name="Losses">The loss of every step so far of the stage.</param>
/// <param name="Validations">The validation losses so far of the stage.</param>
/// <param name="Tensors">
/// Parameters, buffers, optimizer moments (<c>optimizer.*</c>), moving averages (<c>average.*</c>), loss scales (<c>scale.*</c>), fp8 ranges
/// (<c>amax.*</c>), what tunings train of their own (<c>tuning.*</c>), the count of skipped steps (<c>skipped</c>), the weighting's state (<c>weighting</c>) and generator state (<c>generator</c>) by name.
/// </param>
public sealed record TrainingState(
    int Stage, int Step, double Seconds, long Tokens, IReadOnlyList<double> Losses, IReadOnlyList<ValidationPoint> Validations,
    IReadOnlyDictionary<string, Tensor> Tensors)
{
    public const string OptimizerPrefix = "optimizer.";
    public const string AveragePrefix = "average.";
    public const string TuningPrefix = "tuning.";
    public const string Generator = "generator";
    public const string Skipped = "skipped";
    public const string Weighting = "weighting";

    /// <summary>Whether no validation of the stage has been better than that of this step.</summary>
    public bool IsBest { get; init; }
}

/// <summary>Where training states go; each is there whole or not at all.</summary>
public interface ICheckpoints
{
    /// <summary>Saves a state, and drops those that are no longer kept. Called on a thread of its own, one call at a time.</summary>
    /// <param name="state">The state; its tensors are read before this returns.</param>
    /// <param name="keep">How many of the newest states are kept. The best of each stage is kept besides.</param>
    void Save(TrainingState state, int keep);
}

/// <summary>What a finished stage reports.</summary>
public sealed record StageResult(
    string Name, int Steps, double Seconds, double TokensPerSecond, double FirstLoss, double LastLoss,
    IReadOnlyList<double> Losses, IReadOnlyList<ValidationPoint> Validations)
{
    /// <summary>The plugin that tuned the graph; null: none did.</summary>
    public string? Tuning { get; init; }

    /// <summary>Parameters that the stage trained; null where it is not known.</summary>
    public long? TrainableParameters { get; init; }

    /// <summary>All parameters of the model, those that the tuning added included.</summary>
    public long? TotalParameters { get; init; }

    /// <summary>Gradients and moments of what is trained, in 10⁶ bytes.</summary>
    public double? OptimizerAndGradientMegabytes { get; init; }

    /// <summary>The most resident memory while the stage trained, in 10⁶ bytes, since it was last started.</summary>
    public double? PeakMegabytes { get; init; }

    /// <summary>What the model reached after the stage; empty: it was not rated then.</summary>
    public IReadOnlyList<Evaluation.EvaluationResult> Evaluations { get; init; } = [];

    /// <summary>The part of its time that the stage waited for data, since it was last started.</summary>
    public double DataWait { get; init; }
}

/// <summary>The validation loss after a number of steps.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Loss">The loss.</param>
/// <param name="AverageLoss">The loss with the moving average of the weights, when the stage keeps one.</param>
public sealed record ValidationPoint(int Step, double Loss, double? AverageLoss = null);
