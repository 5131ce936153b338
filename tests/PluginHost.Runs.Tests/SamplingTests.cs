using CsCheck;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests;

public class SamplingTests
{
    [Fact]
    public void Choose_ZeroTemperature_TakesTheMostLikelyOfEachRow()
    {
        using var logits = tensor(new float[,] { { 0, 3, 1 }, { 5, 3, 1 } });
        Assert.Equal([1L, 0L], new Sampling().Choose(logits, new Random(0)));
    }

    [Fact]
    public void Choose_SameSeed_SameTokens()
    {
        using var logits = zeros(4, 100);
        var sampling = new Sampling(Temperature: 1);
        Assert.Equal(sampling.Choose(logits, new Random(3)), sampling.Choose(logits, new Random(3)));
        Assert.NotEqual(sampling.Choose(logits, new Random(3)), sampling.Choose(logits, new Random(4)));
    }

    [Fact]
    public void Choose_TinyNucleus_IsGreedy()
    {
        using var logits = tensor(new float[,] { { 0, 1, 0.5f } });
        for (var seed = 0; seed < 50; seed++)
            Assert.Equal(1, new Sampling(Temperature: 1, TopP: 0.01).Choose(logits, new Random(seed))[0]);
    }

    [Fact]
    public void Choose_Temperature1_FollowsTheModelsDistribution()
    {
        using var logits = tensor(new float[,] { { MathF.Log(0.7f), MathF.Log(0.2f), MathF.Log(0.1f) } });
        var random = new Random(5);
        var counts = new int[3];
        for (var i = 0; i < 2000; i++) counts[new Sampling(Temperature: 1).Choose(logits, random)[0]]++;
        Assert.InRange(counts[0], 1300, 1500);
        Assert.InRange(counts[1], 330, 470);
    }

    [Fact]
    public void Draw_AnyNucleus_StaysInside() =>
        Gen.Select(Gen.Float[0.001f, 1].Array[1, 20], Gen.Double[0, 0.999999], Gen.Double[0.01, 1]).Sample((weights, uniform, topP) =>
        {
            var sum = weights.Sum();
            var descending = weights.Select(weight => weight / sum).OrderDescending().ToArray();
            var index = new Sampling(TopP: topP).Draw(descending, uniform);
            var before = descending.Take(index).Sum();
            return index >= 0 && index < descending.Length && (index == 0 || before < topP + 1e-5);
        });

    [Theory]
    [InlineData(0, 0, 1, "max tokens 0")]
    [InlineData(1, -1, 1, "temperature -1")]
    [InlineData(1, 0, 0, "top-p 0")]
    [InlineData(1, 0, 1.5, "top-p 1.5")]
    public void Checked_OutOfRange_NamesTheValue(int tokens, double temperature, double topP, string expected) =>
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => new Sampling(tokens, temperature, topP).Checked()).Message);
}
