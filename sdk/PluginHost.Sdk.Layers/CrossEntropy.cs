using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// The sum of weighted cross-entropies, <c>Σ w · (log Σ exp(x) − x[target])</c>, whose gradient is <c>w · (softmax(x) − 1[target])</c>. Logits are the
/// largest tensors of a language model: they are read once forward and once back, and nothing of their size is kept beside them.
/// </summary>
public static class CrossEntropy
{
    /// <summary>The sum over rows; one that weighs nothing costs nothing.</summary>
    /// <param name="logits">fp32 [rows, vocabulary].</param>
    /// <param name="targets">Int64 [rows], each from 0 and below the vocabulary.</param>
    /// <param name="weights">fp32 [rows].</param>
    /// <returns>A scalar; zero for no rows.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together, or a target is no column.</exception>
    public static Tensor Sum(Tensor logits, Tensor targets, Tensor weights)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(weights);
        if (!RowKernel.Reads(logits)) return Plain(logits, targets, weights);
        if (logits.dim() != 2 || targets.numel() != logits.size(0) || weights.numel() != logits.size(0))
            throw new ArgumentException($"logits [{string.Join(",", logits.shape)}] need as many targets and weights as rows, not {targets.numel()} and {weights.numel()}");
        using var scope = NewDisposeScope();
        return OnePass.apply([logits, targets, weights]).MoveToOuterDisposeScope();
    }

    /// <summary>The same in operators.</summary>
    internal static Tensor Plain(Tensor logits, Tensor targets, Tensor weights) =>
        ((logits.logsumexp(-1) - logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)) * weights).sum();

    // Returns log Σ exp(x).
    private static unsafe float LogSum(float* x, int width)
    {
        var i = 0;
        var largest = float.NegativeInfinity;
        if (width >= Vector<float>.Count)
        {
            var most = new Vector<float>(largest);
            for (; i <= width - Vector<float>.Count; i += Vector<float>.Count) most = Vector.Max(most, Vector.Load(x + i));
            for (var lane = 0; lane < Vector<float>.Count; lane++) largest = MathF.Max(largest, most[lane]);
        }
        for (; i < width; i++) largest = MathF.Max(largest, x[i]);
        var (sums, highest) = (Vector<float>.Zero, new Vector<float>(largest));
        for (i = 0; i <= width - Vector<float>.Count; i += Vector<float>.Count) sums += Vector.Exp(Vector.Load(x + i) - highest);
        var sum = Vector.Sum(sums);
        for (; i < width; i++) sum += MathF.Exp(x[i] - largest);
        return largest + MathF.Log(sum);
    }

    // back = scale · (exp(x − logSum) − 1[target])
    private static unsafe void RowBackward(float* x, float logSum, long target, float scale, float* back, int width)
    {
        var (total, i) = (new Vector<float>(logSum), 0);
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count) (Vector.Exp(Vector.Load(x + i) - total) * scale).Store(back + i);
        for (; i < width; i++) back[i] = MathF.Exp(x[i] - logSum) * scale;
        back[target] -= scale;
    }

    private sealed class OnePass : GuardedFunction<OnePass>
    {
        public override string Name => nameof(CrossEntropy);

        protected override unsafe Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var (logits, targets, weights) = (((Tensor)inputs[0]).contiguous(), ((Tensor)inputs[1]).contiguous(), ((Tensor)inputs[2]).contiguous());
            var (rows, width) = ((int)logits.size(0), (int)logits.size(1));
            var logSums = zeros(rows);
            var sums = new double[RowKernel.Blocks(rows)];  // added up in one order
            var (values, weight, total) = ((nint)RowKernel.Of(logits), (nint)RowKernel.Of(weights), (nint)RowKernel.Of(logSums));
            var target = targets.data<long>().ToArray();
            if (target.Any(column => column < 0 || column >= width)) throw new ArgumentException($"a target lies outside of the {width} columns");
            RowKernel.ForEachBlock(rows, (block, first, last) =>
            {
                for (var row = first; row < last; row++)
                {
                    var counts = ((float*)weight)[row];
                    if (counts == 0) continue;
                    var x = (float*)values + (long)row * width;
                    var sum = ((float*)total)[row] = LogSum(x, width);
                    sums[block] += (double)counts * (sum - x[target[row]]);
                }
            });
            context.save_for_backward([
                logits.MoveToOuterDisposeScope(), targets.MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope(), logSums.MoveToOuterDisposeScope()]);
            return tensor((float)sums.Sum()).MoveToOuterDisposeScope();
        }

        protected override unsafe List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var saved = context.get_saved_variables();
            var (logits, targets, weights, logSums) = (saved[0], saved[1].data<long>().ToArray(), saved[2], saved[3]);
            var (rows, width, factor) = ((int)logits.size(0), (int)logits.size(1), gradient.item<float>());
            var back = empty_like(logits);
            var (values, weight, total, to) = ((nint)RowKernel.Of(logits), (nint)RowKernel.Of(weights), (nint)RowKernel.Of(logSums), (nint)RowKernel.Of(back));
            RowKernel.ForEachBlock(rows, (_, first, last) =>
            {
                for (var row = first; row < last; row++)
                {
                    var (start, scale) = ((long)row * width, ((float*)weight)[row] * factor);
                    if (scale == 0) new Span<float>((float*)to + start, width).Clear();
                    else RowBackward((float*)values + start, ((float*)total)[row], targets[row], scale, (float*)to + start, width);
                }
            });
            return [back.MoveToOuterDisposeScope(), null, null];
        }
    }
}
