using PluginHost.Runs.Training;
using static TorchSharp.torch;
using AdamW = PluginHost.Runs.Training.AdamW;
using Parameter = TorchSharp.Modules.Parameter;

namespace PluginHost.Runs.Tests;

public class AdamWTests
{
    [Fact]
    public void Step_FirstStep_MovesEachWeightByTheRateAgainstItsGradient()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(tensor(new float[] { 1, -2, 3 }));
        using var optimizer = new AdamW([("w", weight)]);
        (weight * tensor(new float[] { 4, -5, 0.5f })).sum().backward();

        optimizer.Step(rate: 0.1, decay: 0, clip: double.PositiveInfinity);

        // The first bias-corrected step is g / |g|.
        Assert.Equal([0.9f, -1.9f, 2.9f], weight.data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Step_LongGradient_ReturnsItsNormAndClips()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(zeros(2));
        using var optimizer = new AdamW([("w", weight)]);
        (weight * tensor(new float[] { 3, 4 })).sum().backward();

        var norm = optimizer.Step(0.1, 0, clip: 1);

        Assert.Equal(5, norm, 5);
        var mean = optimizer.Tensors().Single(t => t.Name == "w#mean").Value.data<float>().ToArray();
        Assert.Equal([0.1f * 0.6f, 0.1f * 0.8f], mean, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Accumulate_SeveralGradients_StepsByTheirSum()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(zeros(2));
        using var other = new Parameter(zeros(2));
        using var optimizer = new AdamW([("w", weight), ("o", other)]);

        foreach (var slope in new float[] { 1, 2 })
            optimizer.Accumulate(optimizer.Gradients((weight * tensor(new[] { slope, 2 * slope })).sum()));

        Assert.Equal([3f, 6f], weight.grad!.data<float>().ToArray());
        Assert.Null(other.grad);
        Assert.Equal(Math.Sqrt(45), optimizer.Step(0.1, 0, double.PositiveInfinity), 5);
    }

    [Fact]
    public void Step_KernelFusedAndPlainOperators_Agree()
    {
        using var scope = NewDisposeScope();
        Assert.True(TorchDispatcher.IsAvailable, "this libtorch lacks the fused step");
        var start = arange(21, dtype: float32).view(3, 7) / 7; // more than a vector, and a rest
        using var kernel = new Parameter(start.clone());
        using var optimizer = new AdamW([("w", kernel)]);
        var others = new[] { AdamWByOperators.Fused, AdamWByOperators.Plain }.Select(step => (Step: step, State: new AdamW.State("w", new Parameter(start.clone())))).ToArray();
        for (var step = 1; step <= 5; step++)
        {
            (kernel * kernel * step).sum().backward();
            var norm = optimizer.Step(0.01, 0.1, clip: 2);
            foreach (var (update, state) in others)
            {
                var weight = state.Parameter;
                (weight * weight * step).sum().backward();
                using (no_grad())
                {
                    if (norm > 2) weight.grad!.mul_(2 / norm);
                    state.Steps.add_(1);
                    update(state, 0.01, 0.1);
                }
                weight.grad = null;
            }
        }
        foreach (var (_, state) in others)
        {
            Assert.True(kernel.allclose(state.Parameter, 1e-5, 1e-6), $"{kernel.ToString(TorchSharp.TensorStringStyle.Julia)} and {state.Parameter.ToString(TorchSharp.TensorStringStyle.Julia)}");
            state.Dispose();
        }
    }

    private static class AdamWByOperators
    {
        public static readonly Action<AdamW.State, double, double> Fused = (state, rate, decay) => AdamW.OperatorUpdate([state], rate, decay);
        public static readonly Action<AdamW.State, double, double> Plain = AdamW.PlainUpdate;
    }

    [Fact]
    public void Step_OneThreadAndTwo_AreEqualBitForBit()
    {
        using var scope = NewDisposeScope();
        var start = arange(100_000, dtype: float32) / 1e5;
        var threads = get_num_threads();
        (double Norm, float[] Weights) Run(int count)
        {
            set_num_threads(count);
            using var weight = new Parameter(start.clone());
            using var optimizer = new AdamW([("w", weight)]);
            (weight * weight).sum().backward();
            return (optimizer.Step(0.01, 0.1, clip: 1), weight.data<float>().ToArray());
        }
        try
        {
            var (one, two) = (Run(1), Run(2));
            Assert.Equal(one.Norm, two.Norm);
            Assert.Equal(one.Weights, two.Weights);
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void Step_OtherTypes_GoThroughTheOperators()
    {
        using var scope = NewDisposeScope();
        using var wide = new Parameter(tensor(new double[] { 1, -2 }));
        using var narrow = new Parameter(tensor(new float[] { 3 }));
        using var optimizer = new AdamW([("wide", wide), ("narrow", narrow)]);
        ((wide * tensor(new double[] { 3, 0 })).sum() + (narrow * 4).sum()).backward();

        Assert.Equal(5, optimizer.Step(0.1, 0, double.PositiveInfinity), 5);
        Assert.Equal([0.9, -2], wide.data<double>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(2.9f, narrow.item<float>(), 5);
    }

    [Fact]
    public void Step_ParameterWithoutGradient_IsLeftAlone()
    {
        using var scope = NewDisposeScope();
        using var used = new Parameter(ones(2));
        using var idle = new Parameter(ones(2, 2));
        using var optimizer = new AdamW([("used", used), ("idle", idle)]);
        used.sum().backward();

        optimizer.Step(0.1, 0.5, 1);

        Assert.Equal(4, idle.sum().item<float>());
        Assert.NotEqual(2, used.sum().item<float>());
    }
}
