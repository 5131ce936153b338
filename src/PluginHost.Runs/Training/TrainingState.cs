using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>Everything that a killed run needs to go on bit for bit: weights, optimizer, random generator, position.</summary>
/// <param name="Stage">Index of the stage.</param>
/// <param name="Step">Steps of the stage already taken.</param>
/// <param name="Seconds">Time already spent in the stage.</param>
/// <param name="Tokens">Tokens already seen in the stage.</param>
/// <param name="Losses">The loss of every step so far of the stage.</param>
/// <param name="Validations">The validation losses so far of the stage.</param>
/// <param name="Tensors">Parameters, buffers, optimizer moments (<c>optimizer.*</c>) and generator state (<c>generator</c>) by name.</param>
public sealed record TrainingState(
    int Stage, int Step, double Seconds, long Tokens, IReadOnlyList<double> Losses, IReadOnlyList<ValidationPoint> Validations,
    IReadOnlyDictionary<string, Tensor> Tensors)
{
    public const string OptimizerPrefix = "optimizer.";
    public const string Generator = "generator";
}

/// <summary>Where training states go; each save replaces the one before, whole or not at all.</summary>
public interface ICheckpoints
{
    /// <summary>Saves a state. The tensors are the run's own: read them before returning.</summary>
    void Save(TrainingState state);
}

/// <summary>What a finished stage reports.</summary>
public sealed record StageResult(
    string Name, int Steps, double Seconds, double TokensPerSecond, double FirstLoss, double LastLoss,
    IReadOnlyList<double> Losses, IReadOnlyList<ValidationPoint> Validations);

/// <summary>The validation loss after a number of steps.</summary>
public sealed record ValidationPoint(int Step, double Loss);
