// The weights that the project gives, from the first step to the last: what the other weightings are compared with.
using PluginHost.Sdk;

namespace Weighting.Static;

/// <summary>Constant weights.</summary>
[Plugin("weighting.static", "The weights that the project gives its objectives, unchanged.")]
public sealed class StaticWeighting : IWeightingPlugin
{
    /// <inheritdoc/>
    public IWeighting Begin(IReadOnlyList<string> objectives) => new Constant([.. objectives.Select(_ => 1.0)]);

    private sealed record Constant(IReadOnlyList<double> Weights) : IWeighting
    {
        public bool NeedsGradientNorms => false;

        public IReadOnlyList<double> State => [];

        public void Observe(IReadOnlyList<ObservedLoss?> losses)
        {
        }

        public void Restore(IReadOnlyList<double> state)
        {
        }
    }
}
