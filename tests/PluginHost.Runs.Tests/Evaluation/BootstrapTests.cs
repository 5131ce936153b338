using PluginHost.Runs.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Runs.Tests.Evaluation;

public class BootstrapTests
{
    private static readonly Prediction[] Answers = [.. Enumerable.Range(0, 40).Select(i => new Prediction($"sample {i / 2}", new Turn("colour", "which?", "red"), i % 3 == 0 ? "red" : "blue"))];

    [Fact]
    public void Interval_OfEvenDraws_LeavesOutTheirTails()
    {
        var (low, high) = Bootstrap.Interval([.. Enumerable.Range(0, 1001).Select(i => i / 1000.0)]);
        Assert.Equal(0.025, low, 9);
        Assert.Equal(0.975, high, 9);
    }

    [Fact]
    public void OfMean_DrawsOfTheSameQuestions_AreTheSame_AndOthersAreNot()
    {
        double[] items = [.. Answers.Select(answer => answer.Text == "red" ? 1.0 : 0)];
        string[] samples = [.. Answers.Select(answer => answer.SampleId)];

        Assert.Equal(Bootstrap.OfMean(items, samples, "a"), Bootstrap.OfMean(items, samples, "a"));
        Assert.NotEqual(Bootstrap.OfMean(items, samples, "a"), Bootstrap.OfMean(items, samples, "b"));
    }

    [Fact]
    public void OfMean_AnswersAboutOneSample_AreDrawnTogether()
    {
        // Within a sample all answers are equal: 20 samples say as much as 20 answers, and no more.
        double[] items = [.. Enumerable.Range(0, 400).Select(i => i / 20 % 2 == 0 ? 1.0 : 0)];
        static double Width(IReadOnlyList<double> draws) => Bootstrap.Interval(draws) is var (low, high) ? high - low : 0;

        var together = Width(Bootstrap.OfMean(items, [.. Enumerable.Range(0, 400).Select(i => $"{i / 20}")], "key"));
        var apart = Width(Bootstrap.OfMean(items, null, "key"));

        Assert.InRange(together / apart, 3.5, 5.5);  // the square root of 20 is 4.5
    }

    [Fact]
    public void Of_NumberThatDrawsBias_HasAnIntervalAroundItself()
    {
        // A share of distinct texts: drawn with repetition there are fewer of them, always.
        Prediction[] distinct = [.. Enumerable.Range(0, 60).Select(i => new Prediction($"{i}", new Turn("t", "?", "a"), $"{i}"))];
        static MetricValue Share(IReadOnlyList<Prediction> drawn) => new("distinct", drawn.Select(answer => answer.Text).Distinct().Count() / (double)drawn.Count);
        var corpus = Bootstrap.OfCorpus(distinct, "key", drawn => [Share(drawn)]);
        Assert.True(Bootstrap.Interval([.. corpus.Select(draw => draw["distinct"])]).High < 0.8);

        var (low, high) = Bootstrap.Interval(Bootstrap.Of(Share(distinct), distinct, "key", new(corpus)));

        Assert.InRange(1.0, low, high);
        Assert.Equal(1.0, high);
        Assert.InRange(low, 0.85, 0.98);
    }

    [Theory]
    [InlineData(new[] { 1.0, 2, 3 }, 0.5)]      // none on the other side: (1 + 0) of (3 + 1), on both sides
    [InlineData(new[] { -1.0, 1, 2, -2 }, 1.0)]
    [InlineData(new[] { 0.0, 0, 0 }, 1.0)]
    public void PValue_OfDifferences_CountsBothSidesAndIsNeverZero(double[] differences, double expected) => Assert.Equal(expected, Bootstrap.PValue(differences), 9);
}
