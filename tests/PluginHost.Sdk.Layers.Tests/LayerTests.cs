using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers.Tests;

public class LayerTests
{
    private static readonly BuildContext Context = new() { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "" };

    private static float Distance(Tensor left, Tensor right) => (left - right).abs().max().item<float>();

    [Fact]
    public void RmsNorm_Row_HasRootMeanSquareOne()
    {
        using var scope = NewDisposeScope();

        var y = new RmsNorm(2, Context).Forward(tensor(new float[,] { { 3, 4 } }));

        Assert.Equal(3 / Math.Sqrt(12.5), y[0, 0].item<float>(), 5);
        Assert.Equal(4 / Math.Sqrt(12.5), y[0, 1].item<float>(), 5);
    }

    [Fact]
    public void GridPositions_AskedSideBySideForSeveralSizes_GivesEachItsOwn()
    {
        using var positions = new GridPositions(8, Context);
        var wrong = 0;
        Parallel.For(0, 400, i =>
        {
            using var scope = NewDisposeScope();
            var rows = 1 + i % 3;
            var table = positions.For(rows, 4);
            // Beside what place it is, each of the width's two halves has sin² + cos² = 1 for each of two frequencies.
            if (table.size(1) != 4 * rows || Math.Abs(table.square().sum().item<float>() - 4 * 4 * rows) > 1e-3) Interlocked.Increment(ref wrong);
        });
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void Rotary_Position_TurnsEachPairByItsAngle()
    {
        using var scope = NewDisposeScope();
        using var rotary = new Rotary(4, 100, Context);
        var x = tensor(new float[] { 1, 2, 0, 0 }).view(1, 1, 1, 4);

        var y = rotary.Range(3, 1).Apply(x, 4).view(4);

        // Pairs are (0, 2) at frequency 1 and (1, 3) at frequency 1 / 10.
        double[] expected = [Math.Cos(3), 2 * Math.Cos(0.3), Math.Sin(3), 2 * Math.Sin(0.3)];
        for (var i = 0; i < 4; i++) Assert.Equal(expected[i], y[i].item<float>(), 5);
    }

    [Fact]
    public void Rotary_ScoreOfTwoPositions_DependsOnTheirDistanceAlone()
    {
        using var scope = NewDisposeScope();
        using var rotary = new Rotary(8, 10000, Context);
        var (query, key) = (rand(1, 1, 1, 8), rand(1, 1, 1, 8));
        float Score(long left, long right) =>
            (rotary.Range(left, 1).Apply(query, 8) * rotary.Range(right, 1).Apply(key, 8)).sum().item<float>();

        Assert.Equal(Score(5, 2), Score(903, 900), 3);
    }

    [Fact]
    public void Rotary_ExplicitPositions_EqualTheRange()
    {
        using var scope = NewDisposeScope();
        using var rotary = new Rotary(8, 10000, Context);
        var x = rand(2, 3, 2, 8);
        var positions = tensor(new long[,] { { 4, 5, 6 }, { 4, 5, 6 } });

        Assert.Equal(0, Distance(rotary.Range(4, 3).Apply(x, 8), rotary.At(positions, 7).Apply(x, 8)));
    }

    [Fact]
    public void Attention_GroupedHeads_EqualWrittenOutAttention()
    {
        using var scope = NewDisposeScope();
        var attention = new GroupedQueryAttention("layers.0.attention", 0, new BlockShape(16, 1, 4, 2, 8), Context);
        var x = randn(2, 5, 16);
        Tensor Project(string name)
        {
            var projection = attention.Projections.Single(item => item.Name.EndsWith(name));
            return nn.functional.linear(x, projection.Weight.narrow(0, projection.FirstRow, projection.Rows));
        }

        var query = Project("q_proj").view(2, 5, 4, 4).transpose(1, 2);
        var keys = Project("k_proj").view(2, 5, 2, 4).transpose(1, 2).repeat_interleave(2, 1);
        var values = Project("v_proj").view(2, 5, 2, 4).transpose(1, 2).repeat_interleave(2, 1);
        var hidden = AttentionMask.Causal(5, 5, CPU).logical_not();
        var weights = (matmul(query, keys.transpose(2, 3)) / 2).masked_fill(hidden, double.NegativeInfinity).softmax(-1);
        var output = attention.Projections.Single(item => item.Name == "layers.0.attention.o_proj");
        var expected = nn.functional.linear(matmul(weights, values).transpose(1, 2).reshape(2, 5, 16), output.Weight);

        Assert.InRange(Distance(expected, attention.Forward(x, new AttentionPass(null, true, null, null))), 0, 1e-6f);
    }

    [Fact]
    public void FusedLinear_Projections_CoverTheStoredRows()
    {
        var linear = new FusedLinear("block", 4, [("a", 3), ("b", 5)], Context);

        Assert.Equal([("block.a", 0L, 3L), ("block.b", 3L, 5L)], linear.Projections.Select(p => (p.Name, p.FirstRow, p.Rows)));
        Assert.All(linear.Projections, projection => Assert.Equal([8L, 4L], projection.Weight.shape));
    }

    [Fact]
    public void AttentionMask_RowWithoutTokens_SeesEverything()
    {
        using var scope = NewDisposeScope();

        var mask = AttentionMask.Keys(tensor(new[,] { { true, false }, { false, false } }), ScalarType.Float32);

        Assert.Equal([0, float.NegativeInfinity, 0, 0], mask.view(4).data<float>().ToArray());
    }

    [Fact]
    public void PooledHead_MaskedTokens_HaveNoPart()
    {
        using var scope = NewDisposeScope();
        var head = new PooledHead(4, 3, Context);
        var tokens = randn(2, 3, 4);
        var mask = tensor(new[,] { { true, true, false }, { false, false, false } });

        var pooled = head.Forward(new Masked(tokens, mask));
        var alone = head.Forward(new Masked(tokens.narrow(1, 0, 2), ones(2, 2, dtype: ScalarType.Bool)));

        Assert.InRange(Distance(pooled[0], alone[0]), 0, 1e-6f);
        Assert.Equal(0, pooled[1].abs().sum().item<float>());
    }

    [Fact]
    public void TransformerBlock_Dropout_ActsInTrainingOnly()
    {
        using var scope = NewDisposeScope();
        var block = new TransformerBlock(0, new BlockShape(8, 1, 2, 2, 8, Dropout: 0.5), Context);
        var (x, pass) = (randn(1, 4, 8), new AttentionPass(null, false, null, null));

        block.eval();
        Assert.Equal(0, Distance(block.Forward(x, pass), block.Forward(x, pass)));
        block.train();
        Assert.True(Distance(block.Forward(x, pass), block.Forward(x, pass)) > 0);
    }
}
