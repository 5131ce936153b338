// Attention with both its products by oneDNN: S = q·kᵀ/√d + mask, P = softmax(S), O = P·v. Like FlashAttention (Dao et al. 2022) it keeps O and the rows'
// log Σ exp(S) alone and makes P again in the backward pass, a few samples at a time, so that scores stay in the cache. With D = Σ dO·O:
// dv = Pᵀ·dO, dS = P·(dO·vᵀ − D)/√d, dq = dS·k, dk = dSᵀ·q.
using System.Runtime.Intrinsics;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>Scaled dot-product attention in fp32 by <see cref="OneDnn"/>: [batch, heads, tokens, head width] each.</summary>
internal sealed class OneDnnAttention : GuardedFunction<OneDnnAttention>
{
    /// <summary>Scores that are computed at once, at least those of a sample.</summary>
    private const long Scores = 1 << 20;

    private const string Rule = "Rule";

    public override string Name => nameof(OneDnnAttention);

    /// <summary>Whether this reads such tensors; otherwise libtorch's own attention does.</summary>
    public static bool Reads(Tensor query, Tensor keys, Tensor values, Tensor? mask) =>
        Floats.Reads(query) && Floats.Reads(keys) && Floats.Reads(values) && query.dim() == 4 && keys.dim() == 4 && keys.shape.SequenceEqual(values.shape)
        && query.size(0) == keys.size(0) && query.size(1) == keys.size(1) && query.size(3) == keys.size(3)
        && (mask is null || (Floats.Reads(mask) && !mask.requires_grad && mask.dim() == 4 && mask.size(0) is var b && (b == 1 || b == query.size(0))
            && mask.size(1) == 1 && mask.size(2) is var q && (q == 1 || q == query.size(2)) && mask.size(3) == keys.size(2)));

    /// <summary>Attends.</summary>
    public static Tensor Attend(Tensor query, Tensor keys, Tensor values, Tensor? mask, bool causal)
    {
        using var scope = NewDisposeScope();
        var rule = new Visible(mask?.contiguous(), causal, 1 / Math.Sqrt(query.size(3)));
        if (is_grad_enabled() && (query.requires_grad || keys.requires_grad || values.requires_grad))
            return apply([query, keys, values, rule]).MoveToOuterDisposeScope();
        return Attended(query, keys, values, rule).Output.MoveToOuterDisposeScope();
    }

    protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
    {
        var (query, keys, values, rule) = ((Tensor)inputs[0], (Tensor)inputs[1], (Tensor)inputs[2], (Visible)inputs[3]);
        var (output, logSums) = Attended(query, keys, values, rule);
        // Detached: an output that its own function kept would never go.
        context.save_for_backward([query, keys, values, output.detach(), logSums, .. rule.Mask is { } mask ? [mask] : Array.Empty<Tensor>()]);
        context.save_data(Rule, rule with { Mask = null });
        return output;
    }

    protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var saved = context.get_saved_variables();
        var (query, keys, values, output, logSums) = (saved[0], saved[1], saved[2], saved[3], saved[4]);
        var rule = (Visible)context.get_data(Rule) with { Mask = saved.Count > 5 ? saved[5] : null };
        var (dq, dk, dv) = (LaidOutAs(query), LaidOutAs(keys), LaidOutAs(values));
        foreach (var (first, count) in Parts(query, keys))
        {
            using var part = NewDisposeScope();
            var (q, k, v, g) = (Matrices(query, first, count), Matrices(keys, first, count), Matrices(values, first, count), Matrices(gradient, first, count));
            var sums = (Matrices(output, first, count) * g).sum(-1);                        // [matrices, queries]
            var scores = OneDnn.Product(q, k.transpose(1, 2));                               // [matrices, queries, keys]
            var slopes = OneDnn.Product(g, v.transpose(1, 2));
            rule.Differentiate(scores, slopes, logSums.narrow(0, first, count).contiguous(), sums, first, (int)query.size(1));
            Put(OneDnn.Product(scores.transpose(1, 2), g), dv, first, count);
            Put(OneDnn.Product(slopes, k), dq, first, count);
            Put(OneDnn.Product(slopes.transpose(1, 2), q), dk, first, count);
        }
        return [dq.MoveToOuterDisposeScope(), dk.MoveToOuterDisposeScope(), dv.MoveToOuterDisposeScope(), null];
    }

    private static (Tensor Output, Tensor LogSums) Attended(Tensor query, Tensor keys, Tensor values, Visible rule)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var output = LaidOutAs(query);
        var logSums = empty(query.size(0), query.size(1), query.size(2));
        foreach (var (first, count) in Parts(query, keys))
        {
            using var part = NewDisposeScope();
            var scores = OneDnn.Product(Matrices(query, first, count), Matrices(keys, first, count).transpose(1, 2));
            rule.Softmax(scores, logSums.narrow(0, first, count), first, (int)query.size(1));
            Put(OneDnn.Product(scores, Matrices(values, first, count)), output, first, count);
        }
        return (output.MoveToOuterDisposeScope(), logSums.MoveToOuterDisposeScope());
    }

    private static IEnumerable<(long First, long Count)> Parts(Tensor query, Tensor keys)
    {
        var (batch, each) = (query.size(0), Math.Max(1, Scores / (query.size(1) * query.size(2) * keys.size(2))));
        for (long first = 0; first < batch; first += each) yield return (first, Math.Min(each, batch - first));
    }

    // The heads of a token lie side by side, as the next projection wants them.
    private static Tensor LaidOutAs(Tensor x) => empty(x.size(0), x.size(2), x.size(1), x.size(3)).transpose(1, 2);

    /// <summary>Some samples' heads as matrices, contiguous: [samples · heads, tokens, head width].</summary>
    private static Tensor Matrices(Tensor x, long first, long count) => x.narrow(0, first, count).contiguous().view(count * x.size(1), x.size(2), x.size(3));

    private static void Put(Tensor matrices, Tensor into, long first, long count) =>
        into.narrow(0, first, count).copy_(matrices.view(count, into.size(1), into.size(2), into.size(3)));

    /// <summary>Which scores count, and their softmax: rows of [matrices, queries, keys].</summary>
    private sealed record Visible(Tensor? Mask, bool Causal, double Scale)
    {
        private const int BlockRows = 32;

        /// <summary>Scores to probabilities in place; what is behind a causal row's end is 0.</summary>
        public unsafe void Softmax(Tensor scores, Tensor logSums, long firstSample, int heads)
        {
            var (to, sums) = ((nint)Floats.Of(scores), (nint)Floats.Of(logSums));
            ForEachRow(scores, firstSample, heads, (row, length, width, mask) =>
            {
                var x = (float*)to + (long)row * width;
                var whole = Whole(length, width);
                var most = Logits(x, (float*)mask, length, whole, (float)Scale);
                var sum = Exponentials(x, whole, most);
                Divide(x, whole, sum);
                ((float*)sums)[row] = most + MathF.Log(sum);
                new Span<float>(x + whole, width - whole).Clear();
            });
        }

        /// <summary>Scores to probabilities, and slopes of the probabilities to slopes of the scores, in place.</summary>
        public unsafe void Differentiate(Tensor scores, Tensor slopes, Tensor logSums, Tensor products, long firstSample, int heads)
        {
            var (probabilities, back, sums, product) = ((nint)Floats.Of(scores), (nint)Floats.Of(slopes), (nint)Floats.Of(logSums), (nint)Floats.Of(products));
            ForEachRow(scores, firstSample, heads, (row, length, width, mask) =>
            {
                var p = (float*)probabilities + (long)row * width;
                var d = (float*)back + (long)row * width;
                var whole = Whole(length, width);
                _ = Logits(p, (float*)mask, length, whole, (float)Scale);
                _ = Exponentials(p, whole, ((float*)sums)[row]);
                Slopes(p, d, ((float*)product)[row], (float)Scale, whole);
                new Span<float>(p + whole, width - whole).Clear();
                new Span<float>(d + whole, width - whole).Clear();
            });
        }

        /// <summary>A causal row's length up to the end of its last vector, where the row goes on so far: exponentials one by one cost as much as sixteen.</summary>
        private static int Whole(int length, int width) =>
            (length + Vector512<float>.Count - 1) / Vector512<float>.Count * Vector512<float>.Count is var whole && whole <= width ? whole : length;

        private unsafe void ForEachRow(Tensor scores, long firstSample, int heads, Action<int, int, int, nint> body)
        {
            var (matrices, queries, keys) = ((int)scores.size(0), (int)scores.size(1), (int)scores.size(2));
            var mask = Mask is null ? 0 : (nint)Floats.Of(Mask);
            var (samplesOfMask, rowsOfMask) = Mask is null ? (1L, 1L) : (Mask.size(0), Mask.size(2));
            TorchThreads.ForEach((matrices * queries + BlockRows - 1) / BlockRows, block =>
            {
                for (var row = block * BlockRows; row < Math.Min(matrices * queries, (block + 1) * BlockRows); row++)
                {
                    var (matrix, query) = (row / queries, row % queries);
                    var sample = samplesOfMask == 1 ? 0 : firstSample + matrix / heads;
                    var line = mask == 0 ? 0 : mask + (nint)(sizeof(float) * keys * (sample * rowsOfMask + (rowsOfMask == 1 ? 0 : query)));
                    body(row, Causal ? Math.Min(keys, query + 1) : keys, keys, line);
                }
            });
        }

        /// <summary>scale · x + mask in place, −∞ from the row's end up to that of its last vector; returns the largest.</summary>
        private static unsafe float Logits(float* x, float* mask, int length, int whole, float scale)
        {
            var (largest, i) = (float.NegativeInfinity, 0);
            var most = Vector512.Create(largest);
            for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count) most = Vector512.Max(most, Store(i, Value(i)));
            if (whole > length)
                most = Vector512.Max(most, Store(i, Vector512.ConditionalSelect(
                    Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)(length - i))), Value(i), Vector512.Create(float.NegativeInfinity))));
            else
                for (; i < length; i++) largest = MathF.Max(largest, x[i] = x[i] * scale + (mask is null ? 0 : mask[i]));
            for (var lane = 0; lane < Vector512<float>.Count; lane++) largest = MathF.Max(largest, most[lane]);
            return largest;

            Vector512<float> Value(int at) =>
                mask is null ? Vector512.Load(x + at) * scale : Vector512.Load(x + at) * scale + Vector512.Load(mask + at);

            Vector512<float> Store(int at, Vector512<float> value)
            {
                value.Store(x + at);
                return value;
            }
        }

        /// <summary>exp(x − less) in place; returns their sum.</summary>
        private static unsafe float Exponentials(float* x, int length, float less)
        {
            var (sums, i) = (Vector512<float>.Zero, 0);
            for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var value = Vector512.Exp(Vector512.Load(x + i) - Vector512.Create(less));
                value.Store(x + i);
                sums += value;
            }
            var sum = Vector512.Sum(sums);
            for (; i < length; i++) sum += x[i] = MathF.Exp(x[i] - less);
            return sum;
        }

        private static unsafe void Divide(float* x, int length, float by)
        {
            var (factor, i) = (1 / by, 0);
            for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count) (Vector512.Load(x + i) * factor).Store(x + i);
            for (; i < length; i++) x[i] *= factor;
        }

        private static unsafe void Slopes(float* probabilities, float* slopes, float product, float scale, int length)
        {
            var i = 0;
            for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count)
                ((Vector512.Load(slopes + i) - Vector512.Create(product)) * Vector512.Load(probabilities + i) * scale).Store(slopes + i);
            for (; i < length; i++) slopes[i] = (slopes[i] - product) * probabilities[i] * scale;
        }
    }
}
