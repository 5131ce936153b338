using PluginHost.Runs.Training;

namespace PluginHost.Runs;

/// <summary>What a step reports while it runs.</summary>
public sealed record StepReport(int Step, int Steps, double Loss, IReadOnlyDictionary<string, double> Losses, double Rate, double Norm, double TokensPerSecond, TimeSpan Left);

/// <summary>Watches a run: progress bars, event files. Called on the training thread.</summary>
public interface IRunObserver
{
    void StageStarted(string stage, int firstStep, int steps) { }

    void Stepped(string stage, StepReport report) { }

    /// <summary>The gradients of a step overflowed in their narrow format; it will be tried on other data with a smaller scale.</summary>
    void Skipped(string stage, int step) { }

    void Validated(string stage, ValidationPoint point) { }

    void StageFinished(StageResult result) { }

    void Evaluating(string what, int done, int total) { }
}
