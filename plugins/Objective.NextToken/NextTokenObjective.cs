// Next-token prediction: Σ w · (−log softmax(logits)[target]) over the supervised positions, divided by Σ w by the host, over the
// whole accumulation window.
using PluginHost.Sdk;
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
        // Most positions are prompts and padding: the softmax runs over the supervised ones alone.
        var targets = text.Targets.reshape(-1);
        var supervised = targets.ne(TextBatch.Ignore).nonzero().view(-1);
        var rows = logits.view(-1, logits.size(2)).index_select(0, supervised).to(ScalarType.Float32);  // [supervised, V]
        var losses = nn.functional.cross_entropy(rows, targets.index_select(0, supervised), reduction: nn.Reduction.None);
        return (losses * text.Weights.reshape(-1).index_select(0, supervised)).sum().MoveToOuterDisposeScope();
    }
}
