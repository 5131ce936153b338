using PluginHost.Runs.Training;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace PluginHost.Runs.Tests.Training;

public class WeightAverageTests
{
    [Fact]
    public void Add_SeveralSteps_IsTheRecurrence()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new float[] { 1, 2 }));
        using var average = new WeightAverage([("w", weight)], 0.3);
        var expected = 1.0;
        for (var step = 1; step <= 5; step++)
        {
            using (no_grad()) weight.mul_(2);
            average.Add(step);
            var decay = Math.Min(0.3, (1.0 + step) / (10 + step)); // 2/11, 3/12, 4/13, then 0.3
            expected = decay * expected + (1 - decay) * Math.Pow(2, step);
        }

        var value = Assert.Single(average.Tensors()).Value.data<float>().ToArray();
        Assert.Equal(expected, value[0], 4);
        Assert.Equal(2 * expected, value[1], 4);
    }

    [Fact]
    public void Use_UntilDisposed_PutsTheAverageInTheWeightsPlace()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new float[] { 1 }));
        using var average = new WeightAverage([("w", weight)], 0.5);
        using (no_grad()) weight.fill_(7);

        using (average.Use()) Assert.Equal(1, weight.item<float>());

        Assert.Equal(7, weight.item<float>());
        Assert.Equal(1, average.Tensors().Single().Value.item<float>());
    }
}
