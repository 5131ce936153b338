using PluginHost.Runs.Training;

namespace PluginHost.Runs.Tests;

public class LearningRateTests
{
    [Fact]
    public void At_WarmUp_RisesLinearlyToThePeak()
    {
        Assert.Equal(0.1, LearningRate.At(0, 100, 1, 10, 0), 9);
        Assert.Equal(0.5, LearningRate.At(4, 100, 1, 10, 0), 9);
        Assert.Equal(1.0, LearningRate.At(9, 100, 1, 10, 0), 9);
    }

    [Fact]
    public void At_LastStep_IsTheFinalPartOfThePeak() => Assert.Equal(0.05, LearningRate.At(99, 100, 1, 10, 0.05), 9);

    [Fact]
    public void At_AfterWarmUp_NeverRises()
    {
        var rates = Enumerable.Range(10, 90).Select(step => LearningRate.At(step, 100, 1, 10, 0.05)).ToList();
        Assert.All(rates.Zip(rates.Skip(1)), pair => Assert.True(pair.Second <= pair.First));
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(5, 5)]
    public void At_WarmUpLongerThanTheStage_StaysFinite(int steps, int warmup) =>
        Assert.All(Enumerable.Range(0, steps), step => Assert.InRange(LearningRate.At(step, steps, 1, warmup, 0.1), 1e-9, 1));
}
