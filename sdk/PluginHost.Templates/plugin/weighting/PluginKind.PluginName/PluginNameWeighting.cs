// Weighs objectives by the inverse of their smoothed losses, so that each counts alike whatever its size.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Settings of <see cref="PluginNameWeighting"/>.</summary>
/// <param name="Smoothing">Decay of the moving average.</param>
public sealed record PluginNameOptions(
    [property: Range(0.0, 0.999), Description("Decay of the moving average of the losses.")] double Smoothing = 0.9);

/// <summary>Equal shares of the loss.</summary>
[Plugin("plugin-kind.plugin-name", "Lets every objective have the same share of the loss.")]
public sealed class PluginNameWeighting(PluginNameOptions options) : IWeightingPlugin
{
    /// <inheritdoc/>
    public IWeighting Begin(IReadOnlyList<string> objectives) => new EqualShares(options.Smoothing, objectives.Count);

    private sealed class EqualShares(double smoothing, int count) : IWeighting
    {
        private const double Least = 1e-3;

        private readonly double[] losses = [.. Enumerable.Repeat(1.0, count)];

        public IReadOnlyList<double> Weights => [.. losses.Select(loss => 1 / Math.Max(loss, Least))];

        public bool NeedsGradientNorms => false;

        public IReadOnlyList<double> State => [.. losses];

        public void Observe(IReadOnlyList<ObservedLoss?> observed)
        {
            for (var i = 0; i < count; i++)
                if (observed[i] is { } now) losses[i] = smoothing * losses[i] + (1 - smoothing) * now.Loss;
        }

        public void Restore(IReadOnlyList<double> state)
        {
            for (var i = 0; i < count; i++) losses[i] = state[i];
        }
    }
}
