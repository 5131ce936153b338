// Early fusion (Liu et al. 2023, LLaVA; Chameleon Team 2024): tokens of the other modalities, brought to the tower's width, stand
// before the text:  prefix = [ W_m LayerNorm_m(m) + e_m, … ].  Where a token is comes from its encoder; e_m says what it is.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Fusion.Early;

/// <summary>Early fusion: tokens of the other modalities join the sequence before the text.</summary>
[Plugin("fusion.early", "Early fusion: tokens of the other modalities stand before the text in one sequence.")]
[Inputs("*", "seq[B,N_i,D_i]")]
[Output("context", "fusion[D,L,V]")]
[Cost(Parameters = "sum(2*D_i + D*D_i + D)", Activations = "sum(B*N_i*(D_i + 2*D))")]
public sealed class EarlyFusion : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new PrefixFusion(context);
}

internal sealed class PrefixFusion : nn.Module, IFusion
{
    private readonly ModalityProjection[] modalities;

    public PrefixFusion(BuildContext context) : base(nameof(PrefixFusion))
    {
        modalities = [.. context.Inputs.Select(input => new ModalityProjection(input, context.Dimension("D"), context))];
        register_module(nameof(modalities), nn.ModuleDict([.. context.Inputs.Select((input, i) => (input.Name, modalities[i]))]));
    }

    public IFusionContext Fuse(IReadOnlyList<Masked> tokens)
    {
        var data = new Tensor[tokens.Count];
        for (var i = 0; i < data.Length; i++) data[i] = modalities[i].Forward(tokens[i].Data);  // [B, N_i, D]
        return new Context(new Masked(cat(data, 1), cat([.. tokens.Select(modality => modality.Mask)], 1)));
    }

    private sealed record Context(Masked Prefix) : IFusionContext;
}
