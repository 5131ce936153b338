// Single stream (Li et al. 2019, VisualBERT; Kim et al. 2021, ViLT): one shared stack of layers over all tokens, each marked with what it
// is:  [ m + e_m, …, text + e_text ].  Nothing is mapped or normalised here: tokens arrive at the tower's width, and all that
// happens to them happens in the tower's own layers, which serve both. Deviation: the text stays causal, and what stands
// before it does not see it, so that the same stack can write.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fusion.SingleStream;

/// <summary>Single stream: raw tokens of all modalities and the text share the tower's layers, told apart by embeddings alone.</summary>
[Plugin("fusion.single-stream", "Single stream: raw tokens of all modalities and the text share the tower's layers, told apart by modality embeddings alone.")]
[Inputs("*", "seq[B,N_i,D]")]
[Output("context", "fusion[D,L,V]")]
[Cost(Parameters = "D + sum(D)", Activations = "sum(B*N_i*D)")]
public sealed class SingleStreamFusion : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new ModalityEmbeddings(context);
}

internal sealed class ModalityEmbeddings : nn.Module, IFusion
{
    private readonly Parameter text;
    private readonly Parameter[] modalities;

    public ModalityEmbeddings(BuildContext context) : base(nameof(ModalityEmbeddings))
    {
        var width = context.Dimension("D");
        text = Initial.Normal(context, [width]);
        register_parameter(nameof(text), text);
        modalities = [.. context.Inputs.Select(_ => Initial.Normal(context, [width]))];
        // Not beside 'text': a modality may have that name.
        register_module(nameof(modalities), nn.ParameterDict([.. context.Inputs.Select((input, i) => (input.Name, modalities[i]))]));
    }

    public IFusionContext Fuse(IReadOnlyList<Masked> tokens)
    {
        var data = new Tensor[tokens.Count];
        for (var i = 0; i < data.Length; i++) data[i] = tokens[i].Data.add(modalities[i], Scalars.One);  // [B, N_i, D]
        return new Context(text, new Masked(cat(data, 1), cat([.. tokens.Select(modality => modality.Mask)], 1)));
    }

    private sealed record Context(Tensor Text, Masked Prefix) : IFusionContext
    {
        public Tensor AtInput(Tensor embedded) => embedded.add(Text, Scalars.One);
    }
}
