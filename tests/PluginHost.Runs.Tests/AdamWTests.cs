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
    public void Step_FusedAndPlainOperators_Agree()
    {
        using var scope = NewDisposeScope();
        Assert.True(TorchDispatcher.IsAvailable, "this libtorch lacks the fused step");
        var start = arange(12, dtype: float32).view(3, 4) / 7;
        using var fused = new Parameter(start.clone());
        using var plain = new Parameter(start.clone());
        using var optimizer = new AdamW([("w", fused)]);
        using var state = new AdamW.State("w", plain);
        for (var step = 1; step <= 5; step++)
        {
            (fused * fused * step).sum().backward();
            optimizer.Step(0.01, 0.1, double.PositiveInfinity);

            (plain * plain * step).sum().backward();
            using (no_grad())
            {
                state.Steps.add_(1);
                AdamW.PlainUpdate(state, 0.01, 0.1);
            }
            plain.grad = null;
        }
        Assert.True(fused.allclose(plain, 1e-5, 1e-6), $"{fused.ToString(TorchSharp.TensorStringStyle.Julia)} and {plain.ToString(TorchSharp.TensorStringStyle.Julia)}");
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
