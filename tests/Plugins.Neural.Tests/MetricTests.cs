using Metric.Bleu;
using Metric.Recall;
using Metric.VqaAccuracy;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class MetricTests
{
    private static Prediction Said(string text, string task, string answer, params string[] alsoRight) =>
        new("id", new Turn(task, "?", answer) { AlsoRight = alsoRight }, text);

    private static readonly Prediction[] Corpus =
    [
        Said("The dog bit the man.", "caption.en", "The dog bit the man.", "The dog had bit the man."),
        Said("It wasn't surprising.", "caption.en", "It was not unexpected.", "No one was surprised."),
        Said("The man had just bitten him.", "caption.en", "The man bit him first.", "The man had bitten the dog."),
    ];

    [Fact]
    public void Bleu_SacreBleuSample_IsItsScore()
    {
        var value = Assert.Single(new BleuMetric(new BleuOptions()).Compute(Corpus));

        Assert.Equal("bleu:caption.en", value.Name);
        Assert.Equal(48.530827009929865, value.Value, 9);
        Assert.Equal("nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp", value.Note);
    }

    [Theory]
    [InlineData(BleuSmoothing.None, 0)]
    [InlineData(BleuSmoothing.Floor, 10.266900960803408)]
    [InlineData(BleuSmoothing.AddK, 32.46679154750989)]
    [InlineData(BleuSmoothing.Exp, 19.304869754804482)]
    public void Bleu_SentenceWithEffectiveOrder_IsSacreBleus(BleuSmoothing smoothing, double expected) =>
        Assert.Equal(expected, Sentence("the cat is on a mat", "the cat sat on the mat", BleuTokenize.Mteval13a, smoothing), 9);

    [Theory]
    [InlineData(BleuTokenize.Zh, 32.46679154750991)]
    [InlineData(BleuTokenize.Mteval13a, 0)]
    public void Bleu_ChineseSentence_NeedsItsTokenizer(BleuTokenize tokenize, double expected) =>
        Assert.Equal(expected, Sentence("我喜欢吃苹果", "我爱吃苹果", tokenize, BleuSmoothing.Exp), 9);

    private static double Sentence(string said, string right, BleuTokenize tokenize, BleuSmoothing smoothing)
    {
        var statistics = new BleuStatistics();
        statistics.Add(BleuTokenizer.Split(said, tokenize), [BleuTokenizer.Split(right, tokenize)]);
        return statistics.Score(smoothing, effectiveOrder: true);
    }

    [Fact]
    public void Bleu_TwoTasks_AreReportedApartWithTheirTokenizers()
    {
        var values = new BleuMetric(new BleuOptions()).Compute([.. Corpus, Said("一个红色的圆在左边。", "caption.zh", "一个红色的圆在左边。")]);

        Assert.Equal(["bleu:caption.en", "bleu:caption.zh"], values.Select(value => value.Name));
        Assert.Contains("tok:zh", values[1].Note);
        Assert.Equal(100, values[1].Value, 9);
    }

    [Theory]
    [InlineData("Hello, world! 3.14 (x-y) 5-6", "Hello , world ! 3.14 ( x-y ) 5 - 6")]
    [InlineData("a &quot;b&quot; c.", "a \" b \" c .")]
    public void Bleu_Tokenizer13a_SplitsAsMteval(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', BleuTokenizer.Split(text, BleuTokenize.Mteval13a)));

    [Fact]
    public void Bleu_EmptyAnswer_ScoresZero() =>
        Assert.Equal(0, Assert.Single(new BleuMetric(new BleuOptions()).Compute([Said("", "caption", "a cat sat here")])).Value);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, .3)]
    [InlineData(2, .6)]
    [InlineData(3, .9)]
    [InlineData(4, 1)]
    public void Vqa_TenAnnotators_LeaveOneOut(int matches, double expected)
    {
        string[] answers = [.. Enumerable.Range(0, 10).Select(i => i < matches ? "red" : $"other {i}")];

        var values = new VqaAccuracyMetric(new VqaAccuracyOptions()).Compute([Said("Red.", "colour", answers[0], answers[1..])]);

        Assert.Equal(expected, values[0].Value, 9);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1 / 3.0)]
    [InlineData(2, 2 / 3.0)]
    [InlineData(3, 1)]
    public void Vqa_Simple_IsAThirdOfMatchesAndSaysSo(int matches, double expected)
    {
        string[] answers = [.. Enumerable.Range(0, 10).Select(i => i < matches ? "red" : $"other {i}")];

        var value = new VqaAccuracyMetric(new VqaAccuracyOptions(Simple: true)).Compute([Said("Red.", "colour", answers[0], answers[1..])])[0];

        Assert.Equal(("vqa-accuracy-simple", "simple: min(n/3, 1)"), (value.Name, value.Note));
        Assert.Equal(expected, value.Value, 9);
    }

    [Fact]
    public void Bleu_WithoutReference_NamesTheQuestion()
    {
        var error = Assert.Throws<UserErrorException>(() => new BleuMetric(new BleuOptions()).Compute([Said("a cat", "caption.en", "")]));
        Assert.Contains("The question '?' (task 'caption.en') of sample 'id' has no right answer", error.Message);
    }

    [Fact]
    public void SelfBleu_TheSameToEverything_IsAHundred()
    {
        var metric = new SelfBleuMetric(new SelfBleuOptions());
        var same = Assert.Single(metric.Compute([.. Enumerable.Range(0, 4).Select(i => Said("a red circle above a blue square", "t", $"{i}"))]));
        Assert.Equal(("self-bleu:t", 100.0, true, false), (same.Name, Math.Round(same.Value, 9), same.LowerIsBetter, same.Bootstrapped));

        // Half of the answers differ in every word from all others; of two equal ones each is the other's reference.
        var mixed = Assert.Single(metric.Compute([Said("one two three four", "t", ""), Said("one two three four", "t", ""), Said("five six seven eight", "t", "")]));
        Assert.InRange(mixed.Value, 100 * 2 / 3.0, 100 * 2 / 3.0 + 5);
    }

    [Fact]
    public void Vqa_Tasks_AreReportedOverallAndApart()
    {
        var values = new VqaAccuracyMetric(new VqaAccuracyOptions()).Compute(
            [Said(" The red circle!", "what", "red circle"), Said("three", "count", "2", "two"), Said("Two", "count", "2", "two")]);

        Assert.Equal([("vqa-accuracy", 2 / 3.0), ("vqa-accuracy:count", 0.5), ("vqa-accuracy:what", 1)],
            values.Select(value => (value.Name, value.Value)));
    }

    [Theory]
    [InlineData("a", "A", true)]
    [InlineData("3.5", "35", false)]
    [InlineData("圆。", "圆", true)]
    [InlineData("", "red", false)]
    public void Vqa_Normalisation_KeepsWhatMatters(string said, string right, bool same) =>
        Assert.Equal(same ? 1 : 0, new VqaAccuracyMetric(new VqaAccuracyOptions()).Compute([Said(said, "t", right)])[0].Value);

    [Fact]
    public void Recall_RightAnswerThird_CountsFromThree()
    {
        using var scope = NewDisposeScope();
        var keys = tensor(new float[,] { { 1, 0 }, { .9f, .1f }, { .8f, .2f }, { 0, 1 } });
        // Query 2 lies at key 0; the others at their own.
        var queries = tensor(new float[,] { { 1, 0 }, { .9f, .1f }, { 2, 0 }, { 0, 1 } });

        var values = new RecallMetric(new RecallOptions([1, 2, 3])).Compute(queries, keys, [0, 1, 2, 3]);

        Assert.Equal([("recall@1", .75), ("recall@2", .75), ("recall@3", 1.0)], values.Select(value => (value.Name, value.Value)));
    }

    [Fact]
    public void Recall_EverythingEqual_IsZero()
    {
        using var scope = NewDisposeScope();

        var values = new RecallMetric(new RecallOptions()).Compute(ones(12, 3), ones(12, 3), [.. Enumerable.Range(0, 12)]);

        Assert.All(values, value => Assert.Equal(0, value.Value));
        Assert.Equal(["recall@1", "recall@5", "recall@10"], values.Select(value => value.Name));
    }

    [Fact]
    public void Recall_SeveralRightAnswers_TheBestCounts()
    {
        using var scope = NewDisposeScope();
        var keys = tensor(new float[,] { { 0, 1 }, { 1, 0 }, { 1, 1 } });
        var queries = tensor(new float[,] { { 1, 0 }, { 1, 0 }, { 1, 1 } });

        Assert.Equal(2 / 3.0, new RecallMetric(new([1])).Compute(queries, keys, [0, 1, 2])[0].Value, 9);
        Assert.Equal(1, new RecallMetric(new([1])).Compute(queries, keys, [0, 0, 2])[0].Value, 9);
    }

    [Fact]
    public void Recall_RowsWithoutModality_AreLeftOut()
    {
        using var scope = NewDisposeScope();
        var keys = tensor(new float[,] { { 1, 0 }, { 0, 1 }, { 1, 1 } });
        var queries = tensor(new float[,] { { 1, 0 }, { 0, 0 }, { 1, 1 } });

        var value = new RecallMetric(new([1])).Compute(queries, keys, [0, 1, 2])[0];

        Assert.Equal((1.0, "gallery of 2"), (value.Value, value.Note));
        Assert.Equal(0, new RecallMetric(new([1])).Compute(zeros(2, 2), zeros(2, 2), [0, 1])[0].Value);
    }
}
