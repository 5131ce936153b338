// Σ w · (log Σ exp(x) − x[target]), with the gradient w · (softmax(x) − 1[target]). The softmax is made once and is all that is kept: the
// logits can go. With the largest logit m and its probability p, log Σ exp(x) is m − log p, which is never far from exact: p ≥ 1 / V.
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Objective.NextToken;

/// <summary>Weighted sum of cross-entropies: logits [rows, vocabulary], int64 targets [rows] and weights [rows] to a scalar.</summary>
internal sealed class CrossEntropySum : GuardedFunction<CrossEntropySum>
{
    public override string Name => nameof(CrossEntropySum);

    protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (logits, targets, weights) = ((Tensor)inputs[0], ((Tensor)inputs[1]).unsqueeze(1), ((Tensor)inputs[2]).unsqueeze(1));
        if (logits.size(0) == 0)
        {
            context.save_for_backward([logits, targets.MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope()]);
            return zeros([], device: logits.device).MoveToOuterDisposeScope();
        }
        var probabilities = logits.softmax(-1);
        var total = logits.amax([-1], keepdim: true) - probabilities.amax([-1], keepdim: true).log_();  // [rows, 1]
        var sum = ((total - logits.gather(1, targets)) * weights).sum();
        context.save_for_backward([probabilities.MoveToOuterDisposeScope(), targets.MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope()]);
        return sum.MoveToOuterDisposeScope();
    }

    protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var saved = context.get_saved_variables();
        var scale = saved[2] * gradient;                                            // [rows, 1]
        var back = (saved[0] * scale).scatter_add_(1, saved[1], -scale);
        return [back.MoveToOuterDisposeScope(), null, null];
    }
}
