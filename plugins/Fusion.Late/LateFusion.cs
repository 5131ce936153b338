// Late fusion (Baltrušaitis et al. 2019, section 6): each modality decides for itself, from the text so far and its own summary,
// and the decisions are added up with learnt weights:
//   logits + Σ_m w_m · U_m (silu(P_m LayerNorm_m(mean m)) ⊙ Q_m hidden)
// A row without the modality adds exactly nothing.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Fusion.Late;

/// <summary>Late fusion: the decisions of the modalities are combined at the output.</summary>
[Plugin("fusion.late", "Late fusion: each modality decides for itself, and the decisions are combined at the output.")]
[Inputs("*", "seq[B,N_i,D_i]")]
[Output("context", "fusion[D,L,V]")]
[Cost(Parameters = "sum(2*D_i + D*D_i + D*D + V*D + 1)", Activations = "sum(B*(N_i + 3)*D_i)")]
public sealed class LateFusion : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new DecisionFusion(context);
}

internal sealed class DecisionFusion : nn.Module, IFusion
{
    private readonly DecisionHead[] heads;

    public DecisionFusion(BuildContext context) : base(nameof(DecisionFusion))
    {
        heads = [.. context.Inputs.Select(input => new DecisionHead(input, context))];
        register_module("modalities", nn.ModuleDict([.. context.Inputs.Select((input, i) => (input.Name, heads[i]))]));
    }

    public IFusionContext Fuse(IReadOnlyList<Masked> modalities) =>
        new Context(heads, [.. modalities.Select((modality, i) => heads[i].Summarise(modality))]);

    private sealed class Context(DecisionHead[] heads, Tensor[] summaries) : IFusionContext
    {
        public Tensor AtOutput(Tensor hidden, Tensor logits)
        {
            for (var i = 0; i < heads.Length; i++) logits = logits + heads[i].Decide(hidden, summaries[i]);
            return logits;
        }
    }
}
