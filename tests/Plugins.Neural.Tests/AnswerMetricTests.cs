using Metric.Answers;
using PluginHost.Sdk;

namespace Plugins.Neural.Tests;

public class AnswerMetricTests
{
    private static Prediction Said(string text, string task, string answer, params string[] alsoRight) =>
        new("id", new Turn(task, "?", answer) { AlsoRight = alsoRight }, text);

    // The example of the package rouge-score.
    [Theory]
    [InlineData("rouge-1:t", 0.7058823529411765)]
    [InlineData("rouge-2:t", 4 / 15.0)]
    [InlineData("rouge-l:t", 0.5882352941176471)]
    public void Rouge_QuickBrownFox_IsThePackages(string name, double expected)
    {
        var values = new RougeMetric().Compute([Said("The quick brown dog jumps on the log.", "t", "The quick brown fox jumps over the lazy dog")]);
        Assert.Equal(expected, values.Single(value => value.Name == name).Value, 12);
    }

    [Fact]
    public void Rouge_Chinese_IsNotErased()
    {
        var values = new RougeMetric().Compute([Said("我喜欢吃苹果", "t", "我爱吃苹果")]);
        // Six and five characters, of which 我, 吃, 苹 and 果 are shared in order.
        Assert.Equal([8 / 11.0, 4 / 9.0, 8 / 11.0], values.Select(value => Math.Round(value.Value, 12)), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void Rouge_AccentsComposedOrNot_AreTheSame() =>
        Assert.All(new RougeMetric().Compute([Said("un cafe\u0301", "t", "un caf\u00e9")]), value => Assert.Equal(1, value.Value));

    [Fact]
    public void Rouge_SeveralReferences_TheBestCounts() =>
        Assert.All(new RougeMetric().Compute([Said("a red circle", "t", "two blue squares", "a red circle")]), value => Assert.Equal(1, value.Value));

    [Fact]
    public void ExactMatch_CaseAndPunctuation_Count()
    {
        var values = new ExactMatchMetric().Compute([Said(" red ", "a", "red"), Said("Red", "a", "red"), Said("red.", "b", "red"), Said("x", "b", "y", "x")]);
        Assert.Equal([("exact-match", 0.5), ("exact-match:a", 0.5), ("exact-match:b", 0.5)], values.Select(value => (value.Name, value.Value)));
        Assert.Equal([1.0, 0, 0, 1], values[0].Items);
    }

    [Fact]
    public void Distinct_Corpus_CountsDifferentGramsOverAll()
    {
        var values = new DistinctMetric().Compute([Said("a b a", "t", ""), Said("a b", "t", "")]);
        // Five words, two of them different; the pairs a b, b a, a b.
        Assert.Equal([("distinct-1:t", 2 / 5.0), ("distinct-2:t", 2 / 3.0)], values.Select(value => (value.Name, value.Value)));
        Assert.All(values, value => Assert.False(value.Bootstrapped));
    }

    [Fact]
    public void Calibration_TwoBins_WeighsTheirGaps()
    {
        // Bin of 0.2: two of which one is right, gap 0.3. Bin of 0.9: two, both right, gap 0.1.
        Assert.Equal(0.5 * 0.3 + 0.5 * 0.1, CalibrationMetric.Of([(0.2, true), (0.2, false), (0.9, true), (0.9, true)], 10), 12);
        Assert.Equal(0, CalibrationMetric.Of([(1, true), (1, true), (0, false)], 15), 12);
        Assert.Equal(1, CalibrationMetric.Of([(1, false)], 15), 12);
    }

    [Fact]
    public void Calibration_OfARankingModel_SaysWhatIsMissing() =>
        Assert.Contains("a model that ranks answers instead of writing them does not say", Assert.Throws<UserErrorException>(() => new CalibrationMetric(new CalibrationOptions()).Compute([Said("a", "t", "a")])).Message);

    [Fact]
    public void Metrics_WithoutReference_NameTheQuestion()
    {
        Prediction[] answers = [Said("a", "t", " ") with { Confidence = 0.5 }];
        foreach (var metric in (ITextMetric[])[new RougeMetric(), new ExactMatchMetric(), new CalibrationMetric(new CalibrationOptions())])
            Assert.Contains("of sample 'id' has no right answer", Assert.Throws<UserErrorException>(() => metric.Compute(answers)).Message);
        Assert.NotEmpty(new DistinctMetric().Compute(answers));
    }
}
