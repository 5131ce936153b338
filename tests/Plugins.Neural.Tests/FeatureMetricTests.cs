using Metric.Features;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Sdk;
using PluginHost.Sdk.Testing;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class FeatureMetricTests
{
    private static BuildContext With(Func<AIContent, float[]?> vector) => new() { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "", Supplied = [new FakeEmbeddingGenerator(vector)] };

    private static JudgedAnswer Said(string text, string answer, bool pictured = true) =>
        new(new Sample("id") { Image = pictured ? new Picture(1, 1, [1, 2, 3]) : null }, new Prediction("id", new Turn("t", "?", answer), text));

    [Fact]
    public void Frechet_DiagonalNormals_IsTheGoldenTen()
    {
        using var scope = NewDisposeScope();
        var distance = FrechetMetric.Distance(zeros(2, ScalarType.Float64), diag(tensor(new double[] { 1, 4 })), tensor(new double[] { 1, 2 }), diag(tensor(new double[] { 9, 1 })));
        Assert.Equal(10, distance, 9);
    }

    [Fact]
    public void Frechet_Samples_TakesCovariancesOverNMinusOne()
    {
        // Means 1 and 4, variances 2 and 8: 9 + 2 + 8 - 2 * 4.
        Assert.Equal(11, FrechetMetric.Distance([[0], [2]], [[2], [6]]), 9);
        Assert.Equal(0, FrechetMetric.Distance([[0, 1], [2, 5]], [[0, 1], [2, 5]]), 6);
    }

    [Fact]
    public void InceptionStyle_DecidedAndEven_IsTheNumberOfClasses()
    {
        double[][] decided = [.. Enumerable.Range(0, 40).Select(i => Enumerable.Range(0, 4).Select(y => y == i % 4 ? 1.0 : 0).ToArray())];
        Assert.Equal(4, InceptionStyleMetric.Of(decided, 1).Mean, 9);
        Assert.Equal(1, InceptionStyleMetric.Of([.. Enumerable.Range(0, 40).Select(_ => new[] { 0.25, 0.25, 0.25, 0.25 })], 10).Mean, 9);
        Assert.Equal(1, InceptionStyleMetric.Of([.. Enumerable.Range(0, 40).Select(_ => new[] { 1.0, 0, 0, 0 })], 10).Mean, 9);
        // Two rows of which one is undecided: exp of the mean of KL((1, 0) || (3/4, 1/4)) and KL((1/2, 1/2) || (3/4, 1/4)).
        var expected = Math.Exp((Math.Log(4 / 3.0) + 0.5 * Math.Log(2 / 3.0) + 0.5 * Math.Log(2)) / 2);
        Assert.Equal(expected, InceptionStyleMetric.Of([[1, 0], [0.5, 0.5]], 1).Mean, 12);
    }

    [Fact]
    public void ClipScore_Cosines_AreWeightedAndNeverNegative()
    {
        var texts = new List<string>();
        var context = With(content =>
        {
            if (content is not TextContent text) return [1, 0];
            texts.Add(text.Text);
            return text.Text.EndsWith("near", StringComparison.Ordinal) ? [0.6f, 0.8f] : [-1, 0];
        });

        var value = Assert.Single(new ClipScoreMetric(new ClipScoreOptions()).Compute([Said("near", ""), Said("opposite", ""), Said("near", "", pictured: false)], context));

        Assert.Equal("clip-score:t", value.Name);
        Assert.Equal(2.5 * 0.6 / 2, value.Value, 6);
        Assert.Equal(2, value.Items.Count);
        Assert.Contains("A photo depicts near", texts);
        Assert.Contains("prefix:A photo depicts|w:2.5", value.Note);
    }

    [Fact]
    public void Frechet_OfAnswers_IsNamedAfterItsEncoderAndNeverFid()
    {
        var values = new FrechetMetric(new FrechetOptions()).Compute([Said("a", "a"), Said("b", "b")], With(_ => null));
        var value = Assert.Single(values);
        Assert.Equal(("frechet-encoder:t", true), (value.Name, value.LowerIsBetter));
        Assert.Equal(0, value.Value, 6);
    }
}
