using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fusion.Early;

/// <summary>Brings one modality's tokens to the tower's width and marks them as that modality's.</summary>
internal sealed class ModalityProjection : nn.Module
{
    private readonly PluginHost.Sdk.Layers.LayerNorm norm;
    private readonly FusedLinear projection;
    private readonly Parameter embedding;

    public ModalityProjection(SolvedPort input, long width, BuildContext context) : base(nameof(ModalityProjection))
    {
        var inputs = input.Shape[2]!.Value;
        norm = new PluginHost.Sdk.Layers.LayerNorm(inputs, context);
        projection = new FusedLinear(input.Name, inputs, [("proj", width)], context);
        embedding = Initial.Normal(context, [width]);
        register_module(nameof(norm), norm);
        register_module("proj", projection);
        register_parameter(nameof(embedding), embedding);
    }

    /// <summary>[B, N, D_i] to [B, N, D].</summary>
    public Tensor Forward(Tensor tokens) => projection.Forward(norm.Forward(tokens)) + embedding;
}
