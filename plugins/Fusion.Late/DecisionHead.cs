using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fusion.Late;

/// <summary>The decision of one modality.</summary>
internal sealed class DecisionHead : nn.Module
{
    private readonly PluginHost.Sdk.Layers.LayerNorm norm;
    private readonly FusedLinear summary;
    private readonly FusedLinear query;
    private readonly FusedLinear decision;
    private readonly Parameter weight;

    public DecisionHead(SolvedPort input, BuildContext context) : base(nameof(DecisionHead))
    {
        var (inputs, width) = (input.Shape[2]!.Value, context.Dimension("D"));
        norm = new PluginHost.Sdk.Layers.LayerNorm(inputs, context);
        summary = new FusedLinear(input.Name, inputs, [("summary", width)], context);
        query = new FusedLinear(input.Name, width, [("query", width)], context);
        decision = new FusedLinear(input.Name, width, [("decision", context.Dimension("V"))], context);
        weight = Initial.Constant(context, [1], 1);
        register_module(nameof(norm), norm);
        register_module(nameof(summary), summary);
        register_module(nameof(query), query);
        register_module(nameof(decision), decision);
        register_parameter(nameof(weight), weight);
    }

    /// <summary>What the modality has to say, once a batch: tokens [B, N, D_i] to [B, 1, D]; zero for a row without it.</summary>
    public Tensor Summarise(Masked tokens)
    {
        var real = tokens.Mask.to(tokens.Data.dtype).unsqueeze(-1);  // [B, N, 1]
        var count = real.sum(1, keepdim: true);                      // [B, 1, 1]
        var mean = (tokens.Data * real).sum(1, keepdim: true) / count.clamp_min(1);
        return nn.functional.silu(summary.Forward(norm.Forward(mean))) * count.clamp_max(1);
    }

    /// <summary>Hidden states [B, T, D] and a summary [B, 1, D] to weighted logits [B, T, V].</summary>
    public Tensor Decide(Tensor hidden, Tensor summarised) => decision.Forward(query.Forward(hidden) * summarised * weight);
}
