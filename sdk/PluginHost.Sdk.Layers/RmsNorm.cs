using System.Numerics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Root mean square normalisation over the last dimension: <c>x / sqrt(mean(x²) + ε) · w</c> (Zhang and Sennrich 2019).</summary>
public sealed class RmsNorm : nn.Module
{
    private const double UsualEpsilon = 1e-6;
    private readonly double epsilon;
    private readonly Scalar epsilonScalar;
    private readonly Parameter weight;

    /// <summary>Builds the layer with a weight of ones.</summary>
    /// <param name="width">Width of the last dimension.</param>
    /// <param name="context">Says type and device.</param>
    /// <param name="epsilon">What is added to the mean of the squares; published models differ in it.</param>
    public RmsNorm(long width, BuildContext context, double epsilon = UsualEpsilon) : base(nameof(RmsNorm))
    {
        (this.epsilon, epsilonScalar) = (epsilon, epsilon);
        weight = Initial.Constant(context, [width], 1);
        register_parameter(nameof(weight), weight);
    }

    /// <summary>The factors [width].</summary>
    public Parameter Weight => weight;

    /// <summary>Normalises [..., width].</summary>
    public Tensor Forward(Tensor x)
    {
        if (!RowKernel.Reads(x)) return Plain(x, weight, epsilonScalar);
        if (is_grad_enabled() && (x.requires_grad || weight.requires_grad)) return OnePass.apply([x, weight, (float)epsilon]);
        var (normal, scale) = Normalise(x, weight, (float)epsilon);
        scale.Dispose();
        return normal;
    }

    /// <summary>The same in operators.</summary>
    internal static Tensor Plain(Tensor x, Tensor weight, Scalar epsilon) => x * rsqrt((x * x).mean([-1], keepdim: true) + epsilon) * weight;

    /// <returns>The normal rows, and what each was multiplied by [rows].</returns>
    private static unsafe (Tensor Normal, Tensor Scale) Normalise(Tensor x, Tensor weight, float epsilon)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var rows = x.contiguous();
        var width = (int)weight.numel();
        var normal = empty_like(rows);
        var scales = empty(rows.numel() / width);
        var (from, factors, to, scale) = ((nint)RowKernel.Of(rows), (nint)RowKernel.Of(weight), (nint)RowKernel.Of(normal), (nint)RowKernel.Of(scales));
        RowKernel.ForEachBlock((int)scales.numel(), (_, first, last) =>
        {
            for (var row = first; row < last; row++)
                ((float*)scale)[row] = Row((float*)from + (long)row * width, (float*)factors, (float*)to + (long)row * width, width, epsilon);
        });
        return (normal.MoveToOuterDisposeScope(), scales.MoveToOuterDisposeScope());
    }

    private static unsafe float Row(float* x, float* weight, float* y, int width, float epsilon)
    {
        var (sums, i) = (Vector<float>.Zero, 0);
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count) sums += Vector.Load(x + i) * Vector.Load(x + i);
        var sum = Vector.Sum(sums);
        for (; i < width; i++) sum += x[i] * x[i];
        var scale = 1 / MathF.Sqrt(sum / width + epsilon);
        for (i = 0; i <= width - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(x + i) * scale * Vector.Load(weight + i)).Store(y + i);
        for (; i < width; i++) y[i] = x[i] * scale * weight[i];
        return scale;
    }

    // dx = s·(g·w) − x·s³/width·Σ(g·w·x); adds g·x·s to dw.
    private static unsafe void RowBackward(float* gradient, float* x, float* weight, float scale, float* dx, float* dw, int width)
    {
        var (products, i) = (Vector<float>.Zero, 0);
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count) products += Vector.Load(gradient + i) * Vector.Load(weight + i) * Vector.Load(x + i);
        var product = Vector.Sum(products);
        for (; i < width; i++) product += gradient[i] * weight[i] * x[i];
        var back = product * scale * scale * scale / width;
        for (i = 0; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (g, value) = (Vector.Load(gradient + i) * scale, Vector.Load(x + i));
            (g * Vector.Load(weight + i) - value * back).Store(dx + i);
            (Vector.Load(dw + i) + g * value).Store(dw + i);
        }
        for (; i < width; i++)
        {
            dx[i] = gradient[i] * scale * weight[i] - x[i] * back;
            dw[i] += gradient[i] * scale * x[i];
        }
    }

    private sealed class OnePass : GuardedFunction<OnePass>
    {
        public override string Name => nameof(RmsNorm);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            var (x, weight) = ((Tensor)inputs[0], (Tensor)inputs[1]);
            var (normal, scale) = Normalise(x, weight, (float)inputs[2]);
            context.save_for_backward([x, weight, scale]);
            return normal;
        }

        protected override unsafe List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var saved = context.get_saved_variables();
            var (g, x, weight, scales) = (gradient.contiguous(), saved[0].contiguous(), saved[1], saved[2]);
            var (rows, width) = ((int)scales.numel(), (int)weight.numel());
            var dx = empty_like(x);
            var dw = zeros(RowKernel.Blocks(rows), width);  // a row for each block, added up in one order
            var (from, values, factors, scale, to, sums) = (
                (nint)RowKernel.Of(g), (nint)RowKernel.Of(x), (nint)RowKernel.Of(weight), (nint)RowKernel.Of(scales), (nint)RowKernel.Of(dx), (nint)RowKernel.Of(dw));
            RowKernel.ForEachBlock(rows, (block, first, last) =>
            {
                for (var row = first; row < last; row++)
                {
                    var start = (long)row * width;
                    RowBackward((float*)from + start, (float*)values + start, (float*)factors, ((float*)scale)[row], (float*)to + start, (float*)sums + (long)block * width, width);
                }
            });
            return [dx.MoveToOuterDisposeScope(), dw.sum(dim: 0).MoveToOuterDisposeScope(), null];
        }
    }
}
