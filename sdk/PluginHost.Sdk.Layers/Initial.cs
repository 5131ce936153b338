using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Initial weights, drawn from torch's generator.</summary>
public static class Initial
{
    /// <summary>Standard deviation of embeddings (GPT-2; Radford et al. 2019).</summary>
    public const double Embedding = 0.02;

    /// <summary>
    /// Standard deviation of projections: 0.02 at the width of GPT-2 (768), and such that outputs are as large at any other. With a
    /// fixed 0.02 the attention of a narrow tower is all but uniform, and it takes hundreds of steps before it looks anywhere.
    /// </summary>
    /// <param name="inputs">Input width.</param>
    public static double Projection(long inputs) => 0.02 * Math.Sqrt(768.0 / inputs);

    /// <summary>The factor for projections that write into the residual stream, so that its variance does not grow with depth.</summary>
    /// <param name="layers">Number of layers; each writes twice.</param>
    public static double Residual(int layers) => 1 / Math.Sqrt(2.0 * layers);

    /// <summary>A trainable tensor drawn from a normal distribution.</summary>
    /// <param name="context">Says type and device.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="deviation">The standard deviation.</param>
    public static Parameter Normal(BuildContext context, long[] shape, double deviation = Embedding)
    {
        using var scope = NewDisposeScope();
        // Drawn on the CPU, so that a seed gives the same weights on every device.
        var values = randn(shape).mul_(deviation).to(context.Dtype).to(context.Device);
        return Owned(values);
    }

    /// <summary>A trainable tensor that holds one value everywhere.</summary>
    /// <param name="context">Says type and device.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="value">The value.</param>
    public static Parameter Constant(BuildContext context, long[] shape, double value)
    {
        using var scope = NewDisposeScope();
        return Owned(full(shape, value, dtype: context.Dtype, device: context.Device));
    }

    // A module lives longer than the scope in which it was built.
    private static Parameter Owned(Tensor values) => (Parameter)new Parameter(values).DetachFromDisposeScope();
}
