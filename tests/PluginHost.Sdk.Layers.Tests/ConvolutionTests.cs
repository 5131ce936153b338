using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace PluginHost.Sdk.Layers.Tests;

public class ConvolutionTests
{
    /// <summary>Shapes of an input and a weight, stride and padding.</summary>
    public static TheoryData<long[], long[], long, long> Shapes => new()
    {
        { [4, 33, 50], [17, 33, 3], 1, 1 },
        { [4, 40, 50], [64, 40, 3], 2, 1 },
        { [4, 3, 16, 16], [6, 3, 3, 3], 1, 1 },
        { [4, 24, 16, 16], [48, 24, 3, 3], 2, 1 },
        { [4, 20, 16, 16], [20, 20, 4, 4], 4, 0 },
        { [4, 32, 16, 12], [16, 32, 3, 3], 1, 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_MemoryFullOfNaN_GivesTheNumbersOfDoubles(long[] input, long[] kernel, long stride, long padding)
    {
        for (var i = 0; i < 5; i++)
        {
            using var scope = NewDisposeScope();
            var (x, weight) = (randn(input).requires_grad_(), randn(kernel).requires_grad_());
            var (exactX, exactWeight) = (x.detach().to(ScalarType.Float64).requires_grad_(), weight.detach().to(ScalarType.Float64).requires_grad_());
            LeaveNaN();

            var y = Convolution.Forward(x, weight, null, stride, padding);
            y.square().sum().backward();
            // libtorch computes doubles by another way.
            var exact = kernel.Length == 3 ? conv1d(exactX, exactWeight, stride: stride, padding: padding) : conv2d(exactX, exactWeight, strides: [stride, stride], padding: [padding, padding]);
            exact.square().sum().backward();

            Assert.InRange(Distance(y, exact), 0, 1e-5);
            Assert.InRange(Distance(x.grad!, exactX.grad!), 0, 1e-5);
            Assert.InRange(Distance(weight.grad!, exactWeight.grad!), 0, 1e-5);
        }
    }

    [Fact]
    public void Forward_Bias_IsAdded()
    {
        using var scope = NewDisposeScope();
        var (x, weight, bias) = (randn(2, 5, 9), randn(7, 5, 3), randn(7));

        var difference = Convolution.Forward(x, weight, bias, 1, 1) - Convolution.Forward(x, weight, null, 1, 1);

        Assert.Equal([2, 7, 9], difference.shape);
        Assert.InRange(Distance(difference, bias.view(1, 7, 1).expand(2, 7, 9)), 0, 1e-6);
    }

    /// <summary>Frees memory of many sizes that holds nothing but NaN: the next to ask for memory gets some of it.</summary>
    private static void LeaveNaN()
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < 40; i++) _ = full(1 << (8 + i % 14), float.NaN);
    }

    /// <summary>Largest difference against the largest number.</summary>
    private static double Distance(Tensor left, Tensor right) =>
        ((left.to(ScalarType.Float64) - right.to(ScalarType.Float64)).abs().max() / right.abs().max().to(ScalarType.Float64)).item<double>();
}
