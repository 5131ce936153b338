using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Gated feed-forward layer: <c>W_down (silu(W_gate x) · W_up x)</c> (Shazeer 2020). Gate and up are one product.</summary>
public sealed class SwiGlu : nn.Module
{
    private readonly FusedLinear inputs;
    private readonly FusedLinear output;

    /// <summary>Builds the layer.</summary>
    /// <param name="name">Its dotted name: <c>layers.3.feed_forward</c>.</param>
    /// <param name="shape">Widths.</param>
    /// <param name="context">Says type and device.</param>
    public SwiGlu(string name, BlockShape shape, BuildContext context) : base(nameof(SwiGlu))
    {
        inputs = new FusedLinear(name, shape.Width, [("gate_proj", shape.FeedForward), ("up_proj", shape.FeedForward)], context);
        output = new FusedLinear(name, shape.FeedForward, [("down_proj", shape.Width)], context, Initial.Residual(shape.Layers));
        register_module("gate_up", inputs);
        register_module("down_proj", output);
        Projections = [.. inputs.Projections, .. output.Projections];
    }

    /// <summary>gate_proj, up_proj and down_proj.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>Its tensors by name: views of what is stored, in the caller's dispose scope.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe() => [.. inputs.Describe(), .. output.Describe()];

    /// <summary>[..., width] to the same.</summary>
    public Tensor Forward(Tensor x) => output.Forward(Gate(inputs.Forward(x)));

    /// <summary><c>silu(a) · b</c> of rows that hold a and then b: [..., 2 · width] to [..., width].</summary>
    internal static Tensor Gate(Tensor both)
    {
        if (!RowKernel.Reads(both)) return Plain(both);
        return is_grad_enabled() && both.requires_grad ? OnePass.apply([both]) : Product(both);
    }

    /// <summary>The same in operators.</summary>
    internal static Tensor Plain(Tensor both)
    {
        var parts = both.chunk(2, -1);
        return nn.functional.silu(parts[0]) * parts[1];
    }

    private static unsafe Tensor Product(Tensor both)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var rows = both.contiguous();
        var shape = rows.shape;
        var width = (int)(shape[^1] /= 2);
        var product = empty(shape);
        var (from, to) = ((nint)RowKernel.Of(rows), (nint)RowKernel.Of(product));
        RowKernel.ForEachBlock((int)(product.numel() / width), (_, first, last) =>
        {
            for (var row = first; row < last; row++) Row((float*)from + 2L * row * width, (float*)to + (long)row * width, width);
        });
        return product.MoveToOuterDisposeScope();
    }

    private static unsafe void Row(float* both, float* product, int width)
    {
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var gate = Vector.Load(both + i);
            (gate / (Vector<float>.One + Vector.Exp(-gate)) * Vector.Load(both + width + i)).Store(product + i);
        }
        for (; i < width; i++) product[i] = both[i] / (1 + MathF.Exp(-both[i])) * both[width + i];
    }

    // With s = sigmoid(a): d(a·s·b)/da = s·b·(1 + a·(1 − s)), and d/db = a·s.
    private static unsafe void RowBackward(float* gradient, float* both, float* back, int width)
    {
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (gate, up, g) = (Vector.Load(both + i), Vector.Load(both + width + i), Vector.Load(gradient + i));
            var sigmoid = Vector<float>.One / (Vector<float>.One + Vector.Exp(-gate));
            (g * up * sigmoid * (Vector<float>.One + gate * (Vector<float>.One - sigmoid))).Store(back + i);
            (g * gate * sigmoid).Store(back + width + i);
        }
        for (; i < width; i++)
        {
            var sigmoid = 1 / (1 + MathF.Exp(-both[i]));
            back[i] = gradient[i] * both[width + i] * sigmoid * (1 + both[i] * (1 - sigmoid));
            back[width + i] = gradient[i] * both[i] * sigmoid;
        }
    }

    private sealed class OnePass : GuardedFunction<OnePass>
    {
        public override string Name => nameof(SwiGlu);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            context.save_for_backward([(Tensor)inputs[0]]);
            return Product((Tensor)inputs[0]);
        }

        protected override unsafe List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var (g, both) = (gradient.contiguous(), context.get_saved_variables()[0].contiguous());
            var width = (int)g.size(-1);
            var back = empty_like(both);
            var (from, values, to) = ((nint)RowKernel.Of(g), (nint)RowKernel.Of(both), (nint)RowKernel.Of(back));
            RowKernel.ForEachBlock((int)(g.numel() / width), (_, first, last) =>
            {
                for (var row = first; row < last; row++)
                    RowBackward((float*)from + (long)row * width, (float*)values + 2L * row * width, (float*)to + 2L * row * width, width);
            });
            return [back.MoveToOuterDisposeScope()];
        }
    }
}
