// Weights from each task's homoscedastic uncertainty (Kendall, Gal and Cipolla 2018), with s = log σ² learnt by plain gradient descent and not
// decayed: a cross-entropy counts as  e^(−s) L + ½ s,  a regression as  ½ e^(−s) L + ½ s.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Weighting.Uncertainty;

/// <summary>Settings of <see cref="UncertaintyWeighting"/>.</summary>
/// <param name="Rate">Learning rate of s.</param>
/// <param name="Regression">Names of objectives whose loss is a squared error.</param>
public sealed record UncertaintyOptions(
    [property: Range(1e-6, 1.0), Description("Learning rate of the logarithms of the variances.")] double Rate = 0.02,
    [property: Description("Names of the objectives whose loss is a squared error; the others are cross-entropies.")] string[]? Regression = null);

/// <summary>Uncertainty weighting.</summary>
[Plugin("weighting.uncertainty", "Weighs each objective by its uncertainty, which is learnt beside the model: noisy ones count less.")]
public sealed class UncertaintyWeighting(UncertaintyOptions options) : IWeightingPlugin
{
    /// <inheritdoc/>
    public IWeighting Begin(IReadOnlyList<string> objectives)
    {
        foreach (var name in options.Regression ?? [])
            if (!objectives.Contains(name))
                throw new UserErrorException($"weighting.uncertainty: 'regression' names '{name}', but the stage's objectives are {string.Join(", ", objectives)}");
        return new LearntVariances(options.Rate, [.. objectives.Select(name => options.Regression?.Contains(name) == true ? 0.5 : 1.0)]);
    }
}

/// <param name="rate">Learning rate of s.</param>
/// <param name="factors">½ for a regression, 1 for a cross-entropy.</param>
internal sealed class LearntVariances(double rate, double[] factors) : IWeighting
{
    // e^10: a loss that falls to nothing must not drown the others.
    private const double Limit = 10;

    private readonly double[] logVariances = new double[factors.Length];

    public IReadOnlyList<double> Weights => [.. logVariances.Zip(factors, (s, factor) => factor * Math.Exp(-s))];

    public bool NeedsGradientNorms => false;

    public IReadOnlyList<double> State => [.. logVariances];

    public void Observe(IReadOnlyList<ObservedLoss?> losses)
    {
        for (var i = 0; i < factors.Length; i++)
            if (losses[i] is { Loss: var loss })
                logVariances[i] = Math.Clamp(logVariances[i] - rate * (0.5 - factors[i] * Math.Exp(-logVariances[i]) * loss), -Limit, Limit);
    }

    public void Restore(IReadOnlyList<double> state)
    {
        for (var i = 0; i < logVariances.Length; i++) logVariances[i] = state[i];
    }
}
