using PluginHost.Sdk;
using Weighting.GradNorm;
using Weighting.Uncertainty;

namespace Plugins.Neural.Tests;

public class WeightingTests
{
    private static void Repeat(IWeighting weighting, int steps, params ObservedLoss?[] losses)
    {
        for (var step = 0; step < steps; step++) weighting.Observe(losses);
    }

    [Fact]
    public void Uncertainty_ConstantLosses_SettlesWhereItsDerivativeIsNought()
    {
        var weighting = new UncertaintyWeighting(new UncertaintyOptions(0.1, ["error"])).Begin(["words", "error"]);

        Repeat(weighting, 2000, new ObservedLoss(2, 0), new ObservedLoss(0.25, 0));

        Assert.Equal(1 / (2 * 2.0), weighting.Weights[0], 6);         // e^(-s) L = 1/2
        Assert.Equal(1 / (2 * 0.25), weighting.Weights[1], 6);        // 1/2 e^(-s) L = 1/2, of which the weight is half
    }

    [Fact]
    public void Uncertainty_OneStep_IsTheGradientByHand()
    {
        var weighting = new UncertaintyWeighting(new UncertaintyOptions(0.1)).Begin(["a"]);

        Repeat(weighting, 1, new ObservedLoss(3, 0));

        Assert.Equal(Math.Exp(-0.25), weighting.Weights[0], 12);      // s = 0 - 0.1 (0.5 - 3)
    }

    [Fact]
    public void Uncertainty_UnknownObjective_IsNamed() =>
        Assert.Contains("'regression' names 'b', but the stage's objectives are a", Assert.Throws<UserErrorException>(() => new UncertaintyWeighting(new UncertaintyOptions(0.1, ["b"])).Begin(["a"])).Message, StringComparison.Ordinal);

    [Fact]
    public void GradNorm_OneStep_IsTheGradientByHand()
    {
        var weighting = new GradNormWeighting(new GradNormOptions(1, 0.1, 0)).Begin(["a", "b"]);

        // G = (3, 1), mean 2, equal progress: both targets are 2, the gradient on w is (3, -1) / 2.
        Repeat(weighting, 1, new ObservedLoss(1, 3), new ObservedLoss(1, 1));

        var (a, b) = (1 - 0.1 * 1.5, 1 + 0.1 * 0.5);
        Assert.Equal(2 * a / (a + b), weighting.Weights[0], 12);
        Assert.Equal(2 * b / (a + b), weighting.Weights[1], 12);
    }

    [Fact]
    public void GradNorm_UnequalNorms_AreMadeEqualWhenProgressIs()
    {
        var weighting = new GradNormWeighting(new GradNormOptions(1.5, 0.001, 0)).Begin(["a", "b"]);

        Repeat(weighting, 5000, new ObservedLoss(1, 3), new ObservedLoss(1, 1));

        Assert.Equal(weighting.Weights[0] * 3, weighting.Weights[1] * 1, 0.02);
        Assert.Equal(2, weighting.Weights.Sum(), 9);
    }

    [Fact]
    public void GradNorm_ALaggingObjective_IsPulledUp()
    {
        var weighting = new GradNormWeighting(new GradNormOptions(1.5, 0.001, 0)).Begin(["quick", "slow"]);
        Repeat(weighting, 1, new ObservedLoss(1, 1), new ObservedLoss(1, 1));

        Repeat(weighting, 5000, new ObservedLoss(0.1, 1), new ObservedLoss(0.9, 1));

        // r = (0.2, 1.8): the targets are in the proportion (0.2 / 1.8)^1.5, as far as the sum of the weights allows.
        Assert.True(weighting.Weights[1] > 1.5, $"the weights are {string.Join(", ", weighting.Weights)}");
    }
}
