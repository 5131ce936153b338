using Objective.Contrastive;
using Objective.Listwise;
using Objective.Matching;
using Objective.NextToken;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class ObjectiveTests
{
    private static IObjective Contrastive() =>
        (IObjective)new ContrastiveObjective(new ContrastiveOptions()).Build(Build.Context());

    private static readonly float[,] Images = { { 1, 0 }, { .6f, .8f }, { 0, 1 } };
    private static readonly float[,] Texts = { { .9f, .1f }, { .5f, .5f }, { .2f, .9f } };

    [Fact]
    public void Contrastive_Golden_IsThatOfTheReference()
    {
        using var scope = NewDisposeScope();

        var loss = Contrastive().Sum([tensor(Images), tensor(Texts)]);

        Assert.Equal(0.11789211631, loss.item<float>(), 6);
    }

    [Fact]
    public void Contrastive_AbsentRows_TakeNoPart()
    {
        using var scope = NewDisposeScope();
        var absent = zeros(1, 2);

        var loss = Contrastive().Sum([cat([tensor(Images), absent, ones(1, 2)]), cat([tensor(Texts), ones(1, 2), absent])]);

        Assert.Equal(0.11789211631, loss.item<float>(), 6);
    }

    [Fact]
    public void Contrastive_OneCaptionTwice_IsNoNegativeOfItself()
    {
        using var scope = NewDisposeScope();
        var queries = tensor(new float[,] { { 1, 0 }, { .8f, .6f }, { 0, 1 } });
        var keys = tensor(new float[,] { { 1, 0 }, { 2, 0 }, { 0, 1 } });

        var loss = Contrastive().Sum([queries, keys]);

        // Each twin stands against the third row alone: scores 1 and 0, .8 and .6; the third against both.
        static double Nll(double right, params double[] wrong) => Math.Log(1 + wrong.Sum(score => Math.Exp((score - right) / 0.07)));
        var byQuery = (Nll(1, 0) + Nll(.8, .6) + Nll(1, 0, 0)) / 3;
        var byKey = (Nll(1, 0) + Nll(.8, 0) + Nll(1, 0, .6)) / 3;
        Assert.Equal((byQuery + byKey) / 2, loss.item<float>(), 5);
    }

    [Fact]
    public void Contrastive_MinedNegatives_CompeteForTheQueryAlone()
    {
        using var scope = NewDisposeScope();
        // The second negative is missing, the third the key of the second row.
        var negatives = tensor(new float[,] { { .6f, -.8f }, { 0, 0 }, { 0, 2 } });

        var loss = Contrastive().Sum([tensor(new float[,] { { 1, 0 }, { 0, 1 } }), tensor(new float[,] { { .8f, .6f }, { 0, 1 } }), negatives]);

        static double Nll(double right, params double[] wrong) => Math.Log(1 + wrong.Sum(score => Math.Exp((score - right) / 0.07)));
        var byQuery = (Nll(.8, 0, .6, 0) + Nll(1, .6, -.8)) / 2;
        var byKey = (Nll(.8, .6) + Nll(1, 0)) / 2;
        Assert.Equal((byQuery + byKey) / 2, loss.item<float>(), 5);
    }

    [Fact]
    public void Contrastive_NoPairs_IsZeroWithAGraph()
    {
        using var scope = NewDisposeScope();
        var query = zeros(4, 2).requires_grad_();

        var loss = Contrastive().Sum([query, ones(4, 2)]);
        loss.backward();

        Assert.Equal(0, loss.item<float>());
        Assert.Equal(0, query.grad!.abs().sum().item<float>());
    }

    [Fact]
    public void NextToken_WeightsAndIgnoredTargets_GiveTheWeightedSum()
    {
        using var scope = NewDisposeScope();
        var objective = (IObjective)new NextTokenObjective(new NextTokenOptions()).Build(Build.Context());
        var logits = tensor(new float[,,] { { { 2, 0, 0 }, { 9, 9, 9 }, { 0, 1, 0 } } }).requires_grad_();
        var text = Build.Text(new long[,] { { 1, 2, 0 } }) with
        {
            Targets = tensor(new long[,] { { 0, TextBatch.Ignore, 2 } }),
            Weights = tensor(new float[,] { { 1, 0, .5f } }),
        };

        var sum = objective.Sum([logits, text]);
        sum.backward();

        var expected = Math.Log(1 + 2 * Math.Exp(-2)) + 0.5 * Math.Log(2 + Math.E);
        Assert.Equal(expected, sum.item<float>(), 5);
        Assert.Equal(1.5, objective.Count([null, text]));
        Assert.Equal(0, logits.grad![0, 1].abs().sum().item<float>());
    }

    [Fact]
    public void NextToken_NothingSupervised_IsZeroWithAGraph()
    {
        using var scope = NewDisposeScope();
        var objective = (IObjective)new NextTokenObjective(new NextTokenOptions()).Build(Build.Context());
        var logits = ones(1, 2, 3).requires_grad_();

        var sum = objective.Sum([logits, Build.Text(new long[,] { { 1, 2 } })]);
        sum.backward();

        Assert.Equal(0, sum.item<float>());
    }

    [Theory]
    [InlineData(NeededModality.Any, 4)]
    [InlineData(NeededModality.None, 1)]
    [InlineData(NeededModality.Image, 2)]
    [InlineData(NeededModality.Audio, 2)]   // one turn needs both
    [InlineData(NeededModality.Video, 0)]
    public void NextToken_Needs_CountsTheTurnsThatDo(NeededModality needs, double expected)
    {
        using var scope = NewDisposeScope();
        var objective = (IObjective)new NextTokenObjective(new NextTokenOptions(needs)).Build(Build.Context());
        var text = Build.Text(new long[1, 4]) with { Targets = tensor(new long[,] { { 1, 2, 1, 2 } }), Weights = ones(1, 4), Needs = tensor(new long[,] { { 0, 1, 2, 3 } }) };

        Assert.Equal(expected, objective.Count([null, text]));
        Assert.Equal(expected * Math.Log(3), objective.Sum([zeros(1, 4, 3), text]).item<float>(), 5);
    }

    // Three segments of one question and two of another; padding at the end of the second row.
    private static TextBatch Candidates() => Build.Text(
        new long[,] { { 1, 2, 1, 3, 1, 4 }, { 1, 5, 1, 6, -1, -1 } }, new long[,] { { 1, 1, 2, 2, 3, 3 }, { 1, 1, 2, 2, 0, 0 } }) with
    {
        Targets = tensor(new long[,] { { 1, -100, 0, -100, 0, -100 }, { 1, -100, 0, -100, -100, -100 } }),
        Weights = tensor(new float[,] { { 2, 0, 0, 0, 0, 0 }, { 1, 0, 0, 0, 0, 0 } }),
    };

    private static IRankingObjective Matching() => Build.Node<IRankingObjective>(new MatchingObjective(), new() { ["D"] = 8 });

    [Fact]
    public void Matching_Scores_AreThoseOfTheSegmentsInOrder()
    {
        using var scope = NewDisposeScope();
        var objective = Matching();
        var tokens = Build.Tokens(3, 2, 6, 8);

        var scores = objective.Scores([tokens, Candidates()]);
        tokens.Data[0, 2] += randn(8);
        tokens.Data[0, 3] += randn(8);
        var changed = objective.Scores([tokens, Candidates()]);

        Assert.Equal([5L], scores.shape);
        Assert.Equal([false, true, false, false, false], scores.ne(changed).data<bool>().ToArray());
    }

    [Fact]
    public void Matching_TwoQuestions_IsTheWeightedCrossEntropyOfTheRightOnes()
    {
        using var scope = NewDisposeScope();
        var objective = Matching();
        object?[] inputs = [Build.Tokens(3, 2, 6, 8), Candidates()];
        var scores = objective.Scores(inputs).data<float>().Select(score => (double)score).ToArray();

        double Loss(int right, int count) => Math.Log(scores[right..(right + count)].Sum(Math.Exp)) - scores[right];
        Assert.Equal(2 * Loss(0, 3) + Loss(3, 2), objective.Sum(inputs).item<float>(), 4);
        Assert.Equal(3, objective.Count([null, Candidates()]));
    }

    [Fact]
    public void Matching_EqualTokens_IsTheLogarithmOfTheNumberOfCandidates()
    {
        using var scope = NewDisposeScope();

        var loss = Matching().Sum([new Masked(ones(2, 6, 8), ones(2, 6, dtype: ScalarType.Bool)), Candidates()]);

        Assert.Equal(2 * Math.Log(3) + Math.Log(2), loss.item<float>(), 5);
    }

    [Fact]
    public void Listwise_TwoQuestions_IsTheWeightedCrossEntropyOfTheRightOnes()
    {
        using var scope = NewDisposeScope();
        var objective = (IRankingObjective)new ListwiseObjective().Build(Build.Context());
        var given = tensor(new float[,,] { { { 1 }, { 9 }, { 2 }, { 9 }, { -1 }, { 9 } }, { { 3 }, { 9 }, { 0.5f }, { 9 }, { 9 }, { 9 } } });
        object?[] inputs = [new Masked(given, ones(2, 6, dtype: ScalarType.Bool)), Candidates()];

        // Scores stand at first tokens: 1, 2 and -1 of the first question, which counts twice, 3 and 0.5 of the second.
        double Loss(double right, params double[] wrong) => Math.Log(Math.Exp(right) + wrong.Sum(Math.Exp)) - right;
        Assert.Equal([1f, 2f, -1f, 3f, 0.5f], objective.Scores(inputs).data<float>().ToArray());
        Assert.Equal(2 * Loss(1, 2, -1) + Loss(3, 0.5), objective.Sum(inputs).item<float>(), 4);
        Assert.Equal(3, objective.Count([null, Candidates()]));
    }

    [Fact]
    public void Listwise_NoQuestions_IsZeroWithAGraph()
    {
        using var scope = NewDisposeScope();
        var scores = zeros(2, 6, 1).requires_grad_();

        var loss = ((IObjective)new ListwiseObjective().Build(Build.Context())).Sum([new Masked(scores, ones(2, 6, dtype: ScalarType.Bool)), Candidates() with { Targets = zeros_like(Candidates().Targets) }]);
        loss.backward();

        Assert.Equal(0, loss.item<float>());
        Assert.NotNull(scores.grad);
    }

    [Theory]
    [InlineData(3)]   // few positions are supervised: they alone are computed
    [InlineData(15)]
    public void NextToken_ManyOrFewSupervised_LossAndGradientAreTorchs(int supervised)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var objective = (IObjective)new NextTokenObjective(new NextTokenOptions()).Build(Build.Context());
        var logits = (randn(2, 8, 30) * 20).requires_grad_();
        var targets = randint(30, new long[] { 2, 8 }, dtype: ScalarType.Int64);
        targets.flatten().narrow(0, supervised, 16 - supervised).fill_(TextBatch.Ignore);
        var weights = rand(2, 8) * targets.ne(TextBatch.Ignore);
        var text = Build.Text(new long[2, 8]) with { Targets = targets, Weights = weights };

        var sum = objective.Sum([logits, text]);
        var gradient = autograd.grad([sum * 3], [logits])[0];
        BackwardFaults.ThrowIfAny();

        var expected = (nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index: TextBatch.Ignore, reduction: nn.Reduction.None) * weights.flatten()).sum();
        Assert.Equal(expected.item<float>(), sum.item<float>(), 3);
        Assert.True(Build.Distance(autograd.grad([expected * 3], [logits])[0], gradient) < 1e-5);
    }
}
