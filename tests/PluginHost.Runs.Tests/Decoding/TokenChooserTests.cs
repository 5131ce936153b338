using CsCheck;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Decoding;

public class TokenChooserTests
{
    private const int End = 2;

    [Fact]
    public void Choose_Greedy_TakesTheFirstOfTheLargest() => Assert.Equal(1, Choose(new Sampling(), 0, 3, 3, 1).Token);

    [Fact]
    public void Choose_GreedyAnyLogits_IsWhatTheGeneratorChooses() => Gen.Float[-9, 9].Array[3, 60].Sample(logits =>
    {
        using var row = tensor(logits).unsqueeze(0);
        return Choose(new Sampling(), logits).Token == new Sampling().Choose(row, new Random(0))[0];
    });

    [Theory]
    [InlineData(1)]
    [InlineData(0.85)]
    public void Choose_Sampled_FollowsTheDistributionWithinTheNucleus(double topP)
    {
        float[] probabilities = [0.05f, 0.2f, 0.7f, 0.05f];
        var counts = Draws(new Sampling(Temperature: 1, TopP: topP, Seed: 5), [.. probabilities.Select(value => MathF.Log(value))], 4000);

        var mass = topP < 1 ? 0.9 : 1;
        Assert.InRange(counts[2], 4000 * (0.7 / mass - 0.03), 4000 * (0.7 / mass + 0.03));
        Assert.InRange(counts[1], 4000 * (0.2 / mass - 0.03), 4000 * (0.2 / mass + 0.03));
        Assert.Equal(topP < 1, counts[0] + counts[3] == 0);
    }

    [Fact]
    public void Choose_EqualProbabilitiesAndTinyNucleus_StillChooses() =>
        Assert.InRange(Choose(new Sampling(Temperature: 1, TopP: 1e-9), new float[50]).Token, 0, 49);

    [Fact]
    public void Choose_TinyTemperature_IsGreedy() => Assert.Equal(1, Choose(new Sampling(Temperature: 1e-300), 0, 3, 2.9f).Token);

    [Fact]
    public void Choose_SameSeed_SameTokens()
    {
        var logits = new float[100];
        int[] Run(int seed) => Tokens(new Sampling(Temperature: 1, Seed: seed), logits, 20);

        Assert.Equal(Run(3), Run(3));
        Assert.NotEqual(Run(3), Run(4));
    }

    [Fact]
    public void Choose_RepetitionPenalty_TurnsFromTokensOfPromptAndAnswer()
    {
        var chooser = new TokenChooser(new DecodeRequest([0], new Sampling()) { RepetitionPenalty = 4 }, End);
        float[] logits = [8, 4, 0, 3, -1];
        var scratch = new ChoiceScratch(logits.Length);

        Assert.Equal([1, 3], [chooser.Choose(logits, scratch).Token, chooser.Choose(logits, scratch).Token]); // 8/4 < 4, then 4/4 < 3
        Assert.Equal([8f, 4, 0, 3, -1], logits);
    }

    [Fact]
    public void Choose_RepetitionPenalty_SparesTheEnd() => Assert.Equal(
        End, new TokenChooser(new DecodeRequest([End, 1], new Sampling()) { RepetitionPenalty = 4 }, End).Choose([0, 5, 4, 3], new ChoiceScratch(4)).Token);

    [Fact]
    public void Choose_LogProbabilities_AreThoseOfTheModelWhateverTheSampling() =>
        Gen.Select(Gen.Float[-20, 20].Array[1, 70], Gen.Int[0, 20], Gen.Double[0, 2], Gen.Double[0.1, 3]).Sample((logits, count, temperature, penalty) =>
        {
            var request = new DecodeRequest([0], new Sampling(Temperature: temperature)) { LogProbabilities = count, RepetitionPenalty = penalty };
            var (token, found) = new TokenChooser(request, End).Choose(logits, new ChoiceScratch(logits.Length));
            using var scope = NewDisposeScope();
            var expected = nn.functional.log_softmax(tensor(logits).to(float64), -1).data<double>().ToArray();
            Assert.Equal(expected[token], found!.Value, 1e-4);
            Assert.Equal(Math.Min(count, logits.Length), found.Alternatives.Count);
            Assert.Equal(expected.OrderDescending().Take(count), found.Alternatives.Select(item => item.Value), (x, y) => Math.Abs(x - y) < 1e-4);
            Assert.All(found.Alternatives, item => Assert.Equal(expected[item.Token], item.Value, 1e-4));
            Assert.Equal(found.Alternatives.Count, found.Alternatives.Select(item => item.Token).Distinct().Count());
        });

    [Fact]
    public void Choose_MaskedTokens_AreNeverDrawn()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity, 0, float.NegativeInfinity];
        var counts = Draws(new Sampling(Temperature: 1), logits, 200);
        Assert.Equal(200, counts[1] + counts[3]);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Choose_NotANumber_Refuses(float bad) => Assert.Throws<ArithmeticException>(() => Choose(new Sampling(Temperature: 1), 1, bad, 2, 3, 4, 5, 6, 7, 8, 9));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1.5, 1)]
    [InlineData(1.5, 0.9)]
    public void Choose_Constrained_TakesWhatIsAllowedWithTheModelsLogProbability(double temperature, double topP)
    {
        var request = new DecodeRequest([0], new Sampling(Temperature: temperature, TopP: topP, Seed: 3)) { Constraint = new Scripted([[70], [1, 70], [3, 4]]), LogProbabilities = 1 };
        var (chooser, scratch) = (new TokenChooser(request, End), new ChoiceScratch(100));
        var logits = new float[100];
        (logits[End], logits[5]) = (9, 8);   // the likeliest are not allowed
        var total = Math.Log(Math.Exp(9) + Math.Exp(8) + 98);

        foreach (var allowed in new int[][] { [70], [1, 70], [3, 4] })
        {
            var (token, likely) = chooser.Choose(logits, scratch);
            Assert.Contains(token, allowed);
            Assert.Equal(-total, likely!.Value, 1e-4);
            Assert.Equal(End, likely.Alternatives[0].Token);
        }
        Assert.Equal(End, chooser.Choose(logits, scratch).Token);   // nothing else is left
    }

    [Fact]
    public void Choose_NothingAllowed_SaysSo()
    {
        var chooser = new TokenChooser(new DecodeRequest([0], new Sampling()) { Constraint = new Scripted([[]]) }, End);
        Assert.Contains("allows no token", Assert.Throws<InvalidOperationException>(() => chooser.Choose([1, 2, 3, 4], new ChoiceScratch(4))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_OnlyImpossibleTokensAllowed_SaysSo()
    {
        var chooser = new TokenChooser(new DecodeRequest([0], new Sampling(Temperature: 1)) { Constraint = new Scripted([[1]]) }, End);
        Assert.Contains("allows no token", Assert.Throws<InvalidOperationException>(() => chooser.Choose([1, float.NegativeInfinity, 3, 4], new ChoiceScratch(4))).Message, StringComparison.Ordinal);
    }

    // Some tokens at each step; then the end.
    private sealed class Scripted(int[][] steps) : IConstraint, IConstraintState
    {
        private int step;

        public bool MayEnd => step == steps.Length;

        public IConstraintState Begin() => this;

        public void Mask(Span<ulong> allowed)
        {
            allowed.Clear();
            if (!MayEnd)
                foreach (var token in steps[step]) allowed[token / 64] |= 1UL << (token % 64);
        }

        public void Accept(int token) => Assert.Contains(token, steps[step++]);
    }

    private static (int Token, TokenLogProbability? LogProbability) Choose(Sampling sampling, params float[] logits) =>
        new TokenChooser(new DecodeRequest([0], sampling), End).Choose(logits, new ChoiceScratch(logits.Length));

    private static int[] Tokens(Sampling sampling, float[] logits, int count)
    {
        var (chooser, scratch) = (new TokenChooser(new DecodeRequest([0], sampling), End), new ChoiceScratch(logits.Length));
        return [.. Enumerable.Range(0, count).Select(_ => chooser.Choose(logits, scratch).Token)];
    }

    private static int[] Draws(Sampling sampling, float[] logits, int count)
    {
        var counts = new int[logits.Length];
        foreach (var token in Tokens(sampling, logits, count)) counts[token]++;
        return counts;
    }
}
