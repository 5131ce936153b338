using PluginHost.Artifacts.Evaluations;

namespace PluginHost.Artifacts.Tests.Evaluations;

public sealed class PairedDifferenceTests
{
    private static DrawnResult Result(double value, IReadOnlyList<double> draws, string asked = "abc", string metric = "accuracy") => new(metric, "test", value, asked, false, draws);

    private static double[] Draws(Func<int, double> draw) => [.. Enumerable.Range(0, 1000).Select(draw)];

    [Fact]
    public void Of_AllDrawsHigher_HasAnIntervalAboveZeroAndTheLeastP()
    {
        var pair = Assert.Single(PairedDifference.Of([Result(0.5, Draws(i => 0.5 + i / 10_000.0))], [Result(0.7, Draws(i => 0.7 + i / 5_000.0))]));

        Assert.Equal(0.2, pair.Difference, 1e-12);
        Assert.Equal(0.2 + 0.025 * 0.0999, pair.Low, 1e-9);   // the differences run evenly from 0.2 to 0.2999
        Assert.Equal(0.2 + 0.975 * 0.0999, pair.High, 1e-9);
        Assert.Equal(2.0 / 1001, pair.P, 1e-12);
    }

    [Fact]
    public void Of_DrawsPairedOneByOne_KnowsMoreThanTheirSpread()
    {
        // Each result alone spreads over 0.1; the second is 0.001 better in every draw.
        var pair = Assert.Single(PairedDifference.Of([Result(0.5, Draws(i => 0.45 + i * 7919 % 1000 / 10_000.0))], [Result(0.501, Draws(i => 0.451 + i * 7919 % 1000 / 10_000.0))]));

        Assert.Equal((0.001, 0.001), (pair.Low, pair.High), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-9);
        Assert.InRange(pair.P, 0, 0.01);
    }

    [Fact]
    public void Of_TheSameRun_SaysThereIsNoDifference()
    {
        var result = Result(0.5, Draws(i => 0.4 + i / 5_000.0));

        var pair = Assert.Single(PairedDifference.Of([result], [result]));

        Assert.Equal((0, 0, 0, 1), (pair.Difference, pair.Low, pair.High, pair.P));
    }

    [Fact]
    public void Of_OtherQuestionsMetricsOrDraws_AreNoPairs()
    {
        double[] draws = [0.1, 0.2];

        Assert.Empty(PairedDifference.Of([Result(0.1, draws)], [Result(0.1, draws, asked: "abd"), Result(0.1, draws, metric: "bleu"), Result(0.1, [0.1])]));
    }
}
