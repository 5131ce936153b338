// Next-token prediction: Σ w · (−log softmax(logits)[target]) over the supervised positions, divided by Σ w by the host, over the
// whole accumulation window.
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Objective.NextToken;

/// <summary>Weighted cross-entropy of the next token.</summary>
[Plugin("objective.next-token", "Cross-entropy of the next token, weighted and exact to the token over an accumulation window.")]
[Input("logits", "f[B,T,V]")]
[Input("text", "ids[B,T,V]")]
[Cost(Parameters = "0", Activations = "2*B*T*V")]
public sealed class NextTokenObjective : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new NextToken();
}

internal sealed class NextToken : IObjective
{
    public double Count(ReadOnlySpan<object?> inputs)
    {
        using var scope = NewDisposeScope();
        return ((TextBatch)inputs[1]!).Weights.sum(ScalarType.Float64).item<double>();
    }

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        // The largest tensors of a step: what the backward pass can do without is not kept for it.
        using var scope = NewDisposeScope();
        var (logits, text) = ((Tensor)inputs[0]!, (TextBatch)inputs[1]!);
        var (rows, targets, weights) = (logits.flatten(0, 1), text.Targets.flatten(), text.Weights.flatten());
        var supervised = targets.ne(TextBatch.Ignore);
        // Often most positions are prompts and padding: then the softmax runs over the others alone.
        var wanted = supervised.nonzero().view(-1);
        if (wanted.size(0) * 2 < targets.size(0))
            (rows, targets, weights) = (rows.index_select(0, wanted), targets.index_select(0, wanted), weights.index_select(0, wanted));
        else
            (targets, weights) = (targets.clamp_min(0), weights * supervised);
        return CrossEntropySum.apply([rows.to(ScalarType.Float32), targets, weights]).MoveToOuterDisposeScope();
    }
}
