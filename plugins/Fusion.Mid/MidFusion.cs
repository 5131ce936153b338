// Gated cross-attention from text to the other modalities, between the tower's layers (Alayrac et al. 2022, Flamingo):
//   hidden + tanh(gate) · W_o attention(W_q norm(hidden), W_k LayerNorm_m(m), W_v LayerNorm_m(m))
// Deviations: the gate starts at 1, since nothing here is a frozen language model that must be spared; and one key of zeros with a
// value of zeros stands beside the real ones, so that a text may attend to nothing and an absent modality adds exactly nothing.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Fusion.Mid;

/// <summary>Mid fusion: gated cross-attention from text to the other modalities between the tower's layers.</summary>
[Plugin("fusion.mid", "Mid fusion: gated cross-attention from text to the other modalities, between the tower's layers.")]
[Inputs("*", "seq[B,N_i,D_i]")]
[Output("context", "fusion[D,L,V]")]
[Cost(
    Parameters = "(L+{Every}-1)/{Every}*(D + 2*D*D + 1) + sum(2*D_i + (L+{Every}-1)/{Every}*2*D*D_i)",
    Activations = "sum(B*N_i*(D_i + (L+{Every}-1)/{Every}*3*D))")]
public sealed class MidFusion(MidOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new CrossAttentionFusion(options.Every, context);
}

/// <summary>Settings of <see cref="MidFusion"/>.</summary>
public sealed record MidOptions(
    [property: Range(1, 128), Description("Cross-attention follows every so many layers of the tower, beginning with the first.")]
    int Every = 1);
