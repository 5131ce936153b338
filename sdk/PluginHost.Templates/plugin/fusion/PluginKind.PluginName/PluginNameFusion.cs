// Mid fusion by addition. After each layer the text hears the mean of every modality:
//   hidden + tanh(gate) · Σ_m W_m mean(m)
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginKind.PluginName;

/// <summary>Adds the mean of each modality to the text, between the tower's layers.</summary>
[Plugin("plugin-kind.plugin-name", "Mid fusion: the mean of each modality is added to the text between the tower's layers.")]
[Inputs("*", "seq[B,N_i,D_i]")]
[Output("context", "fusion[D,L,V]")]
[Cost(Parameters = "1 + sum(D_i*D)", Activations = "sum(B*N_i*D_i + B*D)")]
public sealed class PluginNameFusion(PluginNameOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new AddedMeans(options.Gate, context);
}

/// <summary>Settings of <see cref="PluginNameFusion"/>.</summary>
public sealed record PluginNameOptions(
    [property: Range(-3.0, 3.0), Description("The gate before training; 0 lets nothing through at first.")] double Gate = 0.5);

internal sealed class AddedMeans : nn.Module, IFusion
{
    private readonly FusedLinear[] projections;
    private readonly Parameter gate;

    public AddedMeans(double start, BuildContext context) : base(nameof(AddedMeans))
    {
        projections = [.. context.Inputs.Select(input => new FusedLinear(input.Name, input.Shape[2]!.Value, [("proj", context.Dimension("D"))], context))];
        gate = Initial.Constant(context, [1], start);
        register_module("modalities", nn.ModuleDict([.. context.Inputs.Select((input, i) => (input.Name, projections[i]))]));
        register_parameter(nameof(gate), gate);
    }

    public IFusionContext Fuse(IReadOnlyList<Masked> modalities)
    {
        var sum = projections[0].Forward(Mean(modalities[0]));                      // [B, 1, D]
        for (var i = 1; i < modalities.Count; i++) sum = sum + projections[i].Forward(Mean(modalities[i]));
        return new Context(sum * gate.tanh());
    }

    // What is masked does not count, and a row of nothing is zero.
    private static Tensor Mean(Masked tokens)
    {
        var real = tokens.Mask.unsqueeze(-1);                                       // [B, N, 1]
        return where(real, tokens.Data, 0).sum(1, keepdim: true) / real.sum(1, keepdim: true).clamp_min(1);
    }

    private sealed class Context(Tensor added) : IFusionContext
    {
        public Tensor BetweenLayers(int layer, Tensor hidden) => hidden + added;
    }
}
