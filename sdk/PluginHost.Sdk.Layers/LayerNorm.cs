using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Layer normalisation over the last dimension, with weight and bias (Ba et al. 2016).</summary>
public sealed class LayerNorm : nn.Module
{
    private readonly long[] shape;
    private readonly Parameter weight;
    private readonly Parameter bias;

    /// <summary>Builds the layer with a weight of ones and a bias of zeros.</summary>
    /// <param name="width">Width of the last dimension.</param>
    /// <param name="context">Says type and device.</param>
    public LayerNorm(long width, BuildContext context) : base(nameof(LayerNorm))
    {
        shape = [width];
        weight = Initial.Constant(context, [width], 1);
        bias = Initial.Constant(context, [width], 0);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    /// <summary>Normalises [..., width].</summary>
    public Tensor Forward(Tensor x) => nn.functional.layer_norm(x, shape, weight, bias);
}
