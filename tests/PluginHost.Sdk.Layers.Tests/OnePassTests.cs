using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers.Tests;

/// <summary>Loops of our own are held against the same in operators: values, gradients, rows that no vector divides, views, one thread and two.</summary>
public class OnePassTests
{
    private static readonly BuildContext Context = new() { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "" };

    public static TheoryData<int> Widths => [1, 8, 67, 96];

    [Theory]
    [MemberData(nameof(Widths))]
    public void RmsNorm_OnePass_IsThatOfTheOperators(int width)
    {
        using var scope = NewDisposeScope();
        var norm = new RmsNorm(width, Context);
        var weight = norm.parameters().Single();
        using (no_grad()) weight.add_(randn(width) * 0.1);
        var x = randn(5, 21, width).requires_grad_();

        AssertSame(norm.Forward(x), RmsNorm.Plain(x, weight, 1e-6), x, weight);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gate_OnePass_IsThatOfTheOperators(int width)
    {
        using var scope = NewDisposeScope();
        var x = (randn(5, 21, 2 * width) * 3).requires_grad_();

        AssertSame(SwiGlu.Gate(x), SwiGlu.Plain(x), x);
    }

    [Fact]
    public void Gate_LargeNumbers_AreThoseOfTheOperators()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { -200, -90, 0, 90, 200, -200, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3 }).view(1, 32).requires_grad_();

        AssertSame(SwiGlu.Gate(x), SwiGlu.Plain(x), x);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(6, false)]
    [InlineData(34, true)]
    [InlineData(64, true)]
    public void Rotation_OnePass_IsThatOfTheOperators(int headWidth, bool explicitPositions)
    {
        using var scope = NewDisposeScope();
        using var rotary = new Rotary(headWidth, 100, Context);
        var rotation = explicitPositions ? rotary.At(tensor(new long[,] { { 0, 1, 2, 0, 1 }, { 4, 5, 6, 7, 8 } }), 9) : rotary.Range(3, 5);
        var x = randn(2, 5, 7, headWidth).requires_grad_();

        AssertSame(rotation.Apply(x, headWidth), rotation.Plain(x, headWidth, 7), x);
        AssertSame(rotation.Apply(x, headWidth, 4), rotation.Plain(x, headWidth, 4), x);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void CrossEntropy_OnePass_IsThatOfTheOperators(int width)
    {
        using var scope = NewDisposeScope();
        var x = (randn(70, width) * 5).requires_grad_();
        var (targets, weights) = (randint(width, [70], dtype: ScalarType.Int64), rand(70).mul_(rand(70).gt(0.3)));

        AssertSame(CrossEntropy.Sum(x, targets, weights), CrossEntropy.Plain(x, targets, weights), x);
    }

    [Fact]
    public void CrossEntropy_LargeLogits_StayFinite()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[,] { { 1000, 0, -1000 }, { 5, float.NegativeInfinity, 5 } }).requires_grad_();

        var sum = CrossEntropy.Sum(x, tensor(new long[] { 2, 0 }), ones(2));

        Assert.Equal(2000 + Math.Log(2), sum.item<float>(), 3);
        Assert.Equal([1, 0, -1, -0.5f, 0, 0.5f], autograd.grad([sum], [x])[0].data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void CrossEntropy_SecondBackwardPass_GivesTheSame()
    {
        using var scope = NewDisposeScope();
        var x = randn(4, 9).requires_grad_();
        var sum = CrossEntropy.Sum(x, tensor(new long[] { 0, 1, 2, 8 }), ones(4));

        var first = autograd.grad([sum], [x], retain_graph: true)[0].data<float>().ToArray();
        Assert.Equal(first, autograd.grad([sum], [x])[0].data<float>().ToArray());
    }

    [Theory]
    [InlineData(2, 1, "logits [2,3] need as many targets and weights as rows, not 1 and 2")]
    [InlineData(5, 2, "a target lies outside of the 3 columns")]
    public void CrossEntropy_WhatDoesNotFit_IsRefused(long target, int targets, string message)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => CrossEntropy.Sum(zeros(2, 3), full(targets, target, ScalarType.Int64), ones(2)));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void OnePass_View_IsReadAsItStands()
    {
        using var scope = NewDisposeScope();
        var norm = new RmsNorm(16, Context);
        var x = randn(16, 9).requires_grad_();

        AssertSame(norm.Forward(x.t()), RmsNorm.Plain(x.t(), norm.parameters().Single(), 1e-6), x);
        AssertSame(SwiGlu.Gate(x.t()), SwiGlu.Plain(x.t()), x);
    }

    [Fact]
    public void OnePass_WithoutGradients_GivesTheSameNumbers()
    {
        using var scope = NewDisposeScope();
        var norm = new RmsNorm(24, Context);
        var x = randn(3, 24).requires_grad_();
        var (normal, gated) = (norm.Forward(x), SwiGlu.Gate(x));

        using (no_grad())
        {
            Assert.Equal(normal.detach().data<float>().ToArray(), norm.Forward(x).data<float>().ToArray());
            Assert.Equal(gated.detach().data<float>().ToArray(), SwiGlu.Gate(x).data<float>().ToArray());
        }
    }

    [Fact]
    public void OnePass_OtherTypes_GoThroughTheOperators()
    {
        using var scope = NewDisposeScope();
        var x = randn([3, 24], dtype: ScalarType.Float64);

        Assert.Equal(ScalarType.Float64, SwiGlu.Gate(x).dtype);
        Assert.Equal(ScalarType.Float64, new RmsNorm(24, Context).Forward(x).dtype);
    }

    [Fact]
    public void OnePass_OneThreadAndTwo_AreEqualBitForBit()
    {
        using var scope = NewDisposeScope();
        var norm = new RmsNorm(40, Context);
        var x = randn(500, 40).requires_grad_();
        var threads = get_num_threads();
        float[][] Run(int count)
        {
            set_num_threads(count);
            var loss = (norm.Forward(x) * x).sum() + SwiGlu.Gate(x).square().sum();
            return [.. autograd.grad([loss], [x, norm.parameters().Single()]).Select(gradient => gradient.data<float>().ToArray())];
        }
        try
        {
            Assert.Equal(Run(1), Run(2));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private static void AssertSame(Tensor actual, Tensor expected, params Tensor[] wanted)
    {
        Assert.True(actual.allclose(expected, 1e-5, 1e-5), $"the values differ by {(actual - expected).abs().max().item<float>()}");
        var upstream = randn(expected.shape);
        foreach (var (one, other) in autograd.grad([actual], wanted, [upstream]).Zip(autograd.grad([expected], wanted, [upstream])))
            Assert.True(one.allclose(other, 1e-4, 1e-4), $"a gradient differs by {(one - other).abs().max().item<float>()}");
        BackwardFaults.ThrowIfAny();
    }
}
