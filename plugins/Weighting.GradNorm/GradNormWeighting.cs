// GradNorm (Chen et al. 2018): weights w, of sum n, are trained by  Σ |G_i − Ḡ·r_i^α|  alone, its target held fixed. G_i = w_i · ‖∇L_i‖ over the
// shared parameters, Ḡ their mean, and r_i the objective's loss relative to its first, divided by the mean of these.
// Deviations: losses and norms are smoothed over steps, since those of one small batch are noise; and the gradient on w is divided by Ḡ, so that
// the learning rate means the same for losses of any size.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Weighting.GradNorm;

/// <summary>Settings of <see cref="GradNormWeighting"/>.</summary>
/// <param name="Alpha">How strongly lagging objectives are pulled up.</param>
/// <param name="Rate">Learning rate of the weights.</param>
/// <param name="Smoothing">Decay of the moving averages.</param>
public sealed record GradNormOptions(
    [property: Range(0.0, 10.0), Description("How strongly objectives that lag behind are pulled up; 0 only makes gradient norms equal.")] double Alpha = 1.5,
    [property: Range(1e-6, 1.0), Description("Learning rate of the weights.")] double Rate = 0.025,
    [property: Range(0.0, 0.999), Description("Decay of the moving averages of losses and norms.")] double Smoothing = 0.9);

/// <summary>GradNorm.</summary>
[Plugin("weighting.grad-norm", "Balances the gradient norms of the objectives, and pulls up those that learn more slowly than the others.")]
public sealed class GradNormWeighting(GradNormOptions options) : IWeightingPlugin
{
    /// <inheritdoc/>
    public IWeighting Begin(IReadOnlyList<string> objectives) => new BalancedNorms(options, objectives.Count);
}

internal sealed class BalancedNorms(GradNormOptions options, int count) : IWeighting
{
    // A weight of 0 has no gradient that could bring it back.
    private const double Least = 1e-3;

    // What an objective that begins with nothing to learn is compared with.
    private const double LeastLoss = 1e-8;

    private readonly double[] weights = [.. Enumerable.Repeat(1.0, count)];
    private readonly double[] firsts = new double[count];
    private readonly double[] losses = new double[count];
    private readonly double[] norms = new double[count];

    public IReadOnlyList<double> Weights => [.. weights];

    public bool NeedsGradientNorms => true;

    /// <summary>Weights, first losses (0: not seen yet), smoothed losses, smoothed norms.</summary>
    public IReadOnlyList<double> State => [.. weights, .. firsts, .. losses, .. norms];

    public void Observe(IReadOnlyList<ObservedLoss?> observed)
    {
        for (var i = 0; i < count; i++)
        {
            if (observed[i] is not { } now) continue;
            var first = firsts[i] == 0;
            if (first) firsts[i] = Math.Max(now.Loss, LeastLoss);
            losses[i] = first ? now.Loss : options.Smoothing * losses[i] + (1 - options.Smoothing) * now.Loss;
            norms[i] = first ? now.GradientNorm : options.Smoothing * norms[i] + (1 - options.Smoothing) * now.GradientNorm;
        }
        if (firsts.Contains(0)) return; // there is nothing to compare yet
        double[] gradients = [.. weights.Zip(norms, (weight, norm) => weight * norm)];
        double[] progress = [.. losses.Zip(firsts, (loss, first) => Math.Max(loss, 0) / first)];
        var (mean, pace) = (gradients.Average(), progress.Average());
        if (mean == 0 || pace == 0) return; // nothing is left to learn
        for (var i = 0; i < count; i++)
            weights[i] -= options.Rate * Math.Sign(gradients[i] - mean * Math.Pow(progress[i] / pace, options.Alpha)) * norms[i] / mean;
        for (var i = 0; i < count; i++) weights[i] = Math.Max(weights[i], Least);
        var scale = count / weights.Sum();
        for (var i = 0; i < count; i++) weights[i] *= scale;
    }

    public void Restore(IReadOnlyList<double> state)
    {
        foreach (var (numbers, at) in new[] { weights, firsts, losses, norms }.Select((numbers, i) => (numbers, i * count)))
            for (var i = 0; i < count; i++) numbers[i] = state[at + i];
    }
}
