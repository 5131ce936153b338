using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Layer normalisation over the last dimension, with weight and bias (Ba et al. 2016).</summary>
public sealed class LayerNorm : nn.Module
{
    private readonly long[] shape;
    private readonly double epsilon;
    private readonly Parameter weight;
    private readonly Parameter bias;

    /// <summary>Builds the layer with a weight of ones and a bias of zeros.</summary>
    /// <param name="width">Width of the last dimension.</param>
    /// <param name="context">Says type and device.</param>
    /// <param name="epsilon">What is added to the variance; published models differ in it.</param>
    public LayerNorm(long width, BuildContext context, double epsilon = 1e-5) : base(nameof(LayerNorm))
    {
        this.epsilon = epsilon;
        shape = [width];
        weight = Initial.Constant(context, [width], 1);
        bias = Initial.Constant(context, [width], 0);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    /// <summary>Normalises [..., width].</summary>
    public Tensor Forward(Tensor x) => nn.functional.layer_norm(x, shape, weight, bias, epsilon);

    /// <summary>Its tensors by name, <c>prefix.weight</c> and <c>prefix.bias</c>.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe(string prefix) => [($"{prefix}.weight", weight), ($"{prefix}.bias", bias)];
}
