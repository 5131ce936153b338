using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>weighting</c>.</summary>
public abstract class WeightingConformance : PluginConformance
{
    private const int Steps = 50;
    private static readonly string[] Names = ["first", "second", "third"];

    /// <inheritdoc/>
    public override string Kind => "weighting";

    /// <inheritdoc/>
    protected override void UseOnce() => WithPlugin(plugin => Train(plugin.Begin(Names), 0, Steps));

    /// <summary>There is a finite weight of 0 or more for each objective, whatever the losses, also for a single objective.</summary>
    [Fact]
    public void Weights_AnyLosses_AreFiniteAndNotNegative() => WithPlugin(plugin =>
    {
        foreach (var names in new[] { Names, Names[..1] })
            foreach (var loss in new[] { 0.0, 1e-12, -1.0, 1e6 })
                foreach (var norm in new[] { 0.0, 1e-12, 1e6 })
                {
                    var weighting = plugin.Begin(names);
                    for (var step = 0; step < Steps; step++)
                    {
                        Check(weighting, names.Length);
                        weighting.Observe([.. names.Select((_, i) => (ObservedLoss?)new ObservedLoss(i == 0 ? loss : 1, i == 0 ? norm : 1))]);
                    }
                    Check(weighting, names.Length);
                }
    });

    /// <summary>A state taken and restored goes on with the same weights, bit for bit.</summary>
    [Fact]
    public void Restore_AState_GoesOnAlike() => WithPlugin(plugin =>
    {
        var whole = plugin.Begin(Names);
        Train(whole, 0, Steps);
        var restored = plugin.Begin(Names);
        restored.Restore(whole.State);
        AssertEqual(whole.Weights, restored.Weights);
        Train(whole, Steps, Steps);
        Train(restored, Steps, Steps);
        AssertEqual(whole.Weights, restored.Weights);
        AssertEqual(whole.State, restored.State);
    });

    /// <summary>A state keeps its length, and is a copy: later steps do not change it.</summary>
    [Fact]
    public void State_LaterSteps_DoNotChangeIt() => WithPlugin(plugin =>
    {
        var weighting = plugin.Begin(Names);
        var state = weighting.State;
        double[] before = [.. state];
        Train(weighting, 0, Steps);
        AssertEqual(before, state);
        Assert.Equal(before.Length, weighting.State.Count);
    });

    // The second objective is away now and then, the third learns slowly.
    private static void Train(IWeighting weighting, int from, int steps)
    {
        for (var step = from; step < from + steps; step++)
        {
            Check(weighting, Names.Length);
            weighting.Observe([new(3.0 / (1 + step), 1.5), step % 3 == 1 ? null : new(2.0 / (1 + step), 0.5), new(2.5 - 0.01 * step, 4)]);
        }
    }

    // Copies: the assertions remember the types they meet, and a list's may be the plugin's own.
    private static void AssertEqual(IReadOnlyList<double> expected, IReadOnlyList<double> actual) => Assert.Equal<double[]>([.. expected], [.. actual]);

    private static void Check(IWeighting weighting, int count)
    {
        Assert.Equal(count, weighting.Weights.Count);
        Assert.All(weighting.Weights, weight => Assert.True(double.IsFinite(weight) && weight >= 0, $"a weight is {weight}"));
    }

    private void WithPlugin(Action<IWeightingPlugin> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<IWeightingPlugin>());
        }
    }
}
