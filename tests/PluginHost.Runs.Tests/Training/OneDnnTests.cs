using PluginHost.Runs.Training.Precision;
using PluginHost.Sdk;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace PluginHost.Runs.Tests.Training;

/// <summary>Products and attention by oneDNN are held against libtorch's own. Where they are not preferred nothing calls them, and
/// they cannot be tried: limited to AVX2 they end the process.</summary>
public class OneDnnTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Product_AnyTransposition_IsLibtorchs(bool left, bool right)
    {
        if (!OneDnn.IsPreferred) return;
        using var scope = NewDisposeScope();
        var (a, b) = (left ? randn(33, 17).t() : randn(17, 33), right ? randn(9, 33).t() : randn(33, 9));
        var (c, d) = (left ? randn(4, 33, 17).transpose(1, 2) : randn(4, 17, 33), right ? randn(4, 9, 33).transpose(1, 2) : randn(4, 33, 9));

        AssertClose(matmul(a, b), OneDnn.Product(a, b));
        AssertClose(matmul(c, d), OneDnn.Product(c, d));
    }

    [Fact]
    public void Product_ShapesThatDoNotFit_AreRefusedBeforeNativeCode()
    {
        if (!OneDnn.IsPreferred) return;
        using var scope = NewDisposeScope();

        var error = Assert.Throws<ArgumentException>(() => OneDnn.Product(zeros(2, 3), zeros(2, 3)));
        Assert.Equal("no product of [2,3] and [2,3]", error.Message);
        Assert.Throws<ArgumentException>(() => OneDnn.Product(zeros([2, 3], dtype: ScalarType.Float64), zeros([3, 2], dtype: ScalarType.Float64)));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Linear_OneDnn_HasLibtorchsValuesAndGradients(bool ofInput, bool ofWeight)
    {
        if (!OneDnn.IsPreferred) return;
        using var scope = NewDisposeScope();
        var (input, weight) = (randn(3, 5, 16).requires_grad_(ofInput), randn(7, 16).requires_grad_(ofWeight));
        Tensor[] wanted = [.. new[] { input, weight }.Where(tensor => tensor.requires_grad)];

        AssertSame(F.linear(input, weight), new OneDnnArithmetic().Linear(input, weight), wanted);
    }

    [Theory]
    [InlineData("none", 40, 40)]
    [InlineData("causal", 40, 40)]
    [InlineData("causal", 5, 9)]
    [InlineData("keys", 12, 37)]
    [InlineData("pairs", 37, 37)]
    [InlineData("causal", 600, 600)] // more scores than fit into a part
    public void Attention_OneDnn_HasLibtorchsValuesAndGradients(string mask, int queries, int keys)
    {
        if (!OneDnn.IsPreferred) return;
        using var scope = NewDisposeScope();
        // Heads lie as a fused projection leaves them.
        var query = randn(4, queries, 2, 8).requires_grad_();
        var both = randn(4, keys, 4, 8).requires_grad_();
        var (q, parts) = (query.transpose(1, 2), both.split([2, 2], 2));
        var (k, v) = (parts[0].transpose(1, 2), parts[1].transpose(1, 2));
        using var added = mask switch
        {
            "keys" => where(arange(keys).lt(tensor(new long[] { 1, 7, 20, keys }).unsqueeze(1)), 0f, float.NegativeInfinity).view(4, 1, 1, keys),
            "pairs" => where(eye(queries).gt(0).logical_or(rand(4, queries, keys).gt(0.5)), 0f, float.NegativeInfinity).unsqueeze(1),
            _ => null,
        };
        Assert.True(OneDnnAttention.Reads(q, k, v, added));

        AssertSame(F.scaled_dot_product_attention(q, k, v, added, 0, mask == "causal"), new OneDnnArithmetic().Attention(q, k, v, added, mask == "causal"), query, both);
    }

    [Fact]
    public void Attention_OneThreadAndTwo_AreEqualBitForBit()
    {
        if (!OneDnn.IsPreferred) return;
        using var scope = NewDisposeScope();
        var x = randn(2, 2, 150, 16).requires_grad_();
        var threads = get_num_threads();
        float[] Run(int count)
        {
            set_num_threads(count);
            return autograd.grad([OneDnnAttention.Attend(x, x, x, null, causal: true).square().sum()], [x])[0].data<float>().ToArray();
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

    private static void AssertSame(Tensor expected, Tensor actual, params Tensor[] wanted)
    {
        AssertClose(expected, actual);
        var upstream = randn(expected.shape);
        foreach (var (one, other) in autograd.grad([expected], wanted, [upstream]).Zip(autograd.grad([actual], wanted, [upstream]))) AssertClose(one, other);
        BackwardFaults.ThrowIfAny();
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(actual.allclose(expected, 1e-4, 1e-4), $"they differ by {(actual - expected).abs().max().item<float>()}");
    }
}
