using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Root mean square normalisation over the last dimension: <c>x / sqrt(mean(x²) + ε) · w</c> (Zhang and Sennrich 2019).</summary>
public sealed class RmsNorm : nn.Module
{
    private static readonly Scalar Epsilon = 1e-6;
    private readonly Parameter weight;

    /// <summary>Builds the layer with a weight of ones.</summary>
    /// <param name="width">Width of the last dimension.</param>
    /// <param name="context">Says type and device.</param>
    public RmsNorm(long width, BuildContext context) : base(nameof(RmsNorm))
    {
        weight = Initial.Constant(context, [width], 1);
        register_parameter(nameof(weight), weight);
    }

    /// <summary>Normalises [..., width].</summary>
    public Tensor Forward(Tensor x) => x * rsqrt((x * x).mean([-1], keepdim: true) + Epsilon) * weight;
}
