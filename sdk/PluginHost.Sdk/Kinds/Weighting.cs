namespace PluginHost.Sdk;

/// <summary>Kind <c>weighting</c>: how much each objective of a stage counts, from step to step.</summary>
public interface IWeightingPlugin
{
    /// <summary>Begins the weighting of a stage.</summary>
    /// <param name="objectives">The names of its objectives: the order of all numbers.</param>
    /// <exception cref="UserErrorException">The settings name an objective that the stage does not have.</exception>
    IWeighting Begin(IReadOnlyList<string> objectives);
}

/// <summary>The weighting of a stage, from its first step to its last. Called from one thread.</summary>
public interface IWeighting
{
    /// <summary>What each objective's loss is multiplied by in the next step, besides the weight that the project gives it: finite, 0 or more.</summary>
    IReadOnlyList<double> Weights { get; }

    /// <summary>Whether <see cref="Observe"/> wants gradient norms: a further backward pass for each objective.</summary>
    bool NeedsGradientNorms { get; }

    /// <summary>Everything that the next step depends on, for a checkpoint; always as many numbers.</summary>
    IReadOnlyList<double> State { get; }

    /// <summary>Learns from a step.</summary>
    /// <param name="losses">Each objective's loss, without <see cref="Weights"/>; null for one that had nothing to learn from in this step.</param>
    void Observe(IReadOnlyList<ObservedLoss?> losses);

    /// <summary>Goes on where a state was taken.</summary>
    /// <param name="state">What <see cref="State"/> was.</param>
    void Restore(IReadOnlyList<double> state);
}

/// <summary>An objective's loss in a step.</summary>
/// <param name="Loss">The loss.</param>
/// <param name="GradientNorm">The L2 norm of its gradient over the parameters that the project names as shared; 0 when norms are not needed.</param>
public readonly record struct ObservedLoss(double Loss, double GradientNorm);
