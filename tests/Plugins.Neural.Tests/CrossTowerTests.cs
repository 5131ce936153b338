using Objective.Listwise;
using PluginHost.Sdk;
using TorchSharp;
using Tower.Cross;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class CrossTowerTests
{
    private const int Separator = 3;

    private static readonly CrossOptions Small = new(Width: 16, Layers: 1, Heads: 2, FeedForward: 16, Meeting: 8, Hidden: 4, Dropout: 0);

    // Two rows: <bos> question <answer> answer <eos> twice in the first, once in the second.
    private static readonly long[,] Ids = { { 1, 10, 11, Separator, 10, 2, 1, 10, 11, Separator, 12, 13, 2 }, { 1, 12, Separator, 13, 14, 2, -1, -1, -1, -1, -1, -1, -1 } };
    private static readonly long[,] Segments = { { 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2 }, { 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0 } };

    private static CrossEncoder Tower()
    {
        var tower = Build.Node<CrossEncoder>(new CrossTower(Small), new() { ["D"] = 8, ["V"] = 20 });
        using var _ = no_grad();
        manual_seed(9);
        foreach (var parameter in tower.parameters()) parameter.add_(randn_like(parameter) * 0.1);
        return tower;
    }

    private static float[] Scores(CrossEncoder tower, TextBatch text)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        manual_seed(4);
        var table = randn(20, 8);
        var outputs = new object?[1];
        tower.Run([new Masked(table.index_select(0, text.Ids.reshape(-1)).view(text.Ids.size(0), text.Ids.size(1), 8), text.Mask), text], outputs);
        var scores = (Masked)outputs[0]!;
        return scores.Data.squeeze(2).masked_select(scores.Mask).data<float>().ToArray();
    }

    [Fact]
    public void Run_PackedRows_ScoresEachCandidateAsIfItWereAlone()
    {
        using var scope = NewDisposeScope();
        using var tower = Tower();

        var together = Scores(tower, Build.Text(Ids, Segments));

        Assert.Equal(3, together.Length);
        long[][] alone = [[1, 10, 11, Separator, 10, 2], [1, 10, 11, Separator, 12, 13, 2], [1, 12, Separator, 13, 14, 2]];
        for (var i = 0; i < alone.Length; i++)
        {
            var row = new long[1, alone[i].Length];
            for (var j = 0; j < alone[i].Length; j++) row[0, j] = alone[i][j];
            Assert.Equal(Scores(tower, Build.Text(row))[0], together[i], 1e-4);
        }
    }

    [Fact]
    public void Run_OtherQuestion_ChangesTheScore()
    {
        using var scope = NewDisposeScope();
        using var tower = Tower();

        Assert.NotEqual(Scores(tower, Build.Text(new long[,] { { 1, 10, Separator, 12, 2 } })), Scores(tower, Build.Text(new long[,] { { 1, 12, Separator, 12, 2 } })));
    }

    [Fact]
    public void Run_NoAnswerOrNoQuestion_IsAFiniteScore()
    {
        using var scope = NewDisposeScope();
        using var tower = Tower();

        Assert.All(Scores(tower, Build.Text(new long[,] { { 1, 10, 11 }, { 1, Separator, 10 }, { Separator, Separator, Separator } })), score => Assert.True(float.IsFinite(score)));
    }

    [Fact]
    public void Matching_TheSameWord_IsMetAndExact()
    {
        using var scope = NewDisposeScope();
        var text = Build.Text(new long[,] { { 1, 10, 11, Separator, 11, 12, 2 } });
        var vectors = eye(20).index_select(0, text.Ids.reshape(-1)).view(1, 7, 20);

        var pairs = Pairs.Of(vectors, text, Small)!;

        Assert.Equal((4, 3), (pairs.QueryLength, pairs.PassageLength));
        float[] shared = [0, 0, 1, 0, 1, 0, 0];
        var (cosines, same) = (Matching.Cosines(pairs, pairs.Vectors), Matching.Same(pairs));
        var best = Matching.Best(pairs, cosines);
        Assert.Equal(shared, Matching.Exact(same).data<float>().ToArray());
        Assert.Equal(shared, best.data<float>().ToArray());
        // Of two words that count the same each side shares one: half of it is met, and the sums' cosine is a half.
        var pooled = Matching.Pool(pairs, pairs.Vectors, pairs.Words.unsqueeze(2), cosines, best, same).data<float>().ToArray();
        Assert.Equal(Matching.Features, pooled.Length);
        Assert.All(pooled[14..18].Zip([0.5, 0.5, 0.5, Math.Log(2)]), pair => Assert.Equal(pair.Second, pair.First, 1e-3));
        // The one that is met stands first in the answer, beside no neighbour of the question's.
        Assert.All(pooled[18..].Zip([Math.Log(2), Math.Log(2), Math.Log(2), 0]), pair => Assert.Equal(pair.Second, pair.First, 1e-3));
    }

    [Fact]
    public void Train_AWordInCommonDecides_IsLearnt()
    {
        using var scope = NewDisposeScope();
        using var tower = Build.Node<CrossEncoder>(new CrossTower(Small), new() { ["D"] = 8, ["V"] = 40 });
        var objective = (IRankingObjective)new ListwiseObjective().Build(Build.Context());
        manual_seed(1);
        var table = randn(40, 8);
        using var optimizer = optim.AdamW(tower.parameters(), 0.01);
        double Step(int seed, bool learn)
        {
            using var inner = NewDisposeScope();
            var text = Questions(seed);
            var outputs = new object?[1];
            tower.Run([new Masked(table.index_select(0, text.Ids.reshape(-1)).view(text.Ids.size(0), text.Ids.size(1), 8), text.Mask), text], outputs);
            var loss = objective.Sum([outputs[0], text]) / objective.Count([null, text]);
            if (!learn) return loss.item<float>();
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            return loss.item<float>();
        }

        Assert.Equal(Math.Log(2), Step(1000, learn: false), 0.01);
        for (var step = 0; step < 60; step++) Step(step, learn: true);

        Assert.True(Step(1001, learn: false) < 0.3, $"the loss is {Step(1001, learn: false)}");
    }

    // Sixteen questions of two words; the right answer repeats one of them, the wrong one none.
    private static TextBatch Questions(int seed)
    {
        var random = new Random(seed);
        var (ids, segments) = (new long[16, 14], new long[16, 14]);
        for (var row = 0; row < 16; row++)
        {
            var words = Enumerable.Range(7, 33).Select(word => (long)word).ToArray();
            random.Shuffle(words);
            long[] line = [1, words[0], words[1], Separator, words[1], words[2], 2, 1, words[0], words[1], Separator, words[3], words[4], 2];
            for (var i = 0; i < line.Length; i++) (ids[row, i], segments[row, i]) = (line[i], 1 + i / 7);
        }
        var text = Build.Text(ids, segments);
        text.Targets.select(1, 0).fill_(1);
        text.Targets.select(1, 7).fill_(0);
        text.Weights.select(1, 0).fill_(1);
        return text;
    }
}
