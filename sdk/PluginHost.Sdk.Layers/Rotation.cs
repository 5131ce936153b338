using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>The rotation of a batch of positions.</summary>
/// <param name="Cosine">[batch or 1, tokens, 1, head width].</param>
/// <param name="Sine">The same shape; the first half is negated, so that a rotation is one roll and one multiply-add.</param>
public readonly record struct Rotation(Tensor Cosine, Tensor Sine)
{
    /// <summary>Rotates the first heads of [batch, tokens, heads, head width]; the others stay as they are.</summary>
    /// <param name="x">Queries and keys, and what comes with them.</param>
    /// <param name="headWidth">Width of a head.</param>
    /// <param name="heads">How many heads are rotated; null: all.</param>
    public Tensor Apply(Tensor x, long headWidth, long? heads = null)
    {
        var rotated = heads ?? x.size(2);
        if (!RowKernel.Reads(x)) return Plain(x, headWidth, rotated);
        return is_grad_enabled() && x.requires_grad ? OnePass.apply([x, this, rotated]) : Rotate(x, rotated, back: false);
    }

    /// <summary>The same in operators.</summary>
    internal Tensor Plain(Tensor x, long headWidth, long heads)
    {
        var parts = x.split([heads, x.size(2) - heads], 2);
        var turned = addcmul(parts[0] * Cosine, parts[0].roll(headWidth / 2, -1), Sine, Scalars.One);
        return heads == x.size(2) ? turned : cat([turned, parts[1]], 2);
    }

    /// <param name="x">[batch, tokens, heads, head width].</param>
    /// <param name="rotated">How many of the heads.</param>
    /// <param name="back">By the opposite angles: the gradient's way.</param>
    private unsafe Tensor Rotate(Tensor x, long rotated, bool back)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (rows, cosines, sines) = (x.contiguous(), Cosine.contiguous(), Sine.contiguous());
        var turned = empty_like(rows);
        var (tokens, heads, width) = ((int)x.size(1), (int)x.size(2), (int)x.size(3));
        var angles = (int)(cosines.numel() / width);  // those of one row for all, or of each row
        var (from, cosine, sine, to) = ((nint)RowKernel.Of(rows), (nint)RowKernel.Of(cosines), (nint)RowKernel.Of(sines), (nint)RowKernel.Of(turned));
        RowKernel.ForEachBlock((int)(x.size(0) * tokens), (_, first, last) =>
        {
            for (var row = first; row < last; row++)
                for (var head = 0; head < heads; head++)
                {
                    var (start, angle) = (((long)row * heads + head) * width, (long)(row % angles) * width);
                    var source = (float*)from + start;
                    var target = (float*)to + start;
                    if (head >= rotated) new Span<float>(source, width).CopyTo(new Span<float>(target, width));
                    else Head(source, (float*)cosine + angle, (float*)sine + angle, target, width / 2, back);
                }
        });
        return turned.MoveToOuterDisposeScope();
    }

    // Forward y = x·cos + swapped(x)·sin; back the sine goes along with what it multiplies: x·cos + swapped(x·sin).
    private static unsafe void Head(float* x, float* cosine, float* sine, float* y, int half, bool back)
    {
        var (ahead, behind) = back ? (half, 0) : (0, half);  // which half of the sine stands with which half of the output
        var i = 0;
        for (; i <= half - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (left, right) = (Vector.Load(x + i), Vector.Load(x + half + i));
            (left * Vector.Load(cosine + i) + right * Vector.Load(sine + ahead + i)).Store(y + i);
            (right * Vector.Load(cosine + half + i) + left * Vector.Load(sine + behind + i)).Store(y + half + i);
        }
        for (; i < half; i++)
        {
            var (left, right) = (x[i], x[half + i]);
            y[i] = left * cosine[i] + right * sine[ahead + i];
            y[half + i] = right * cosine[half + i] + left * sine[behind + i];
        }
    }

    private sealed class OnePass : GuardedFunction<OnePass>
    {
        private const string Heads = "Heads";

        public override string Name => nameof(Rotation);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            var rotation = (Rotation)inputs[1];
            context.save_for_backward([rotation.Cosine, rotation.Sine]);
            context.save_data(Heads, inputs[2]);
            return rotation.Rotate((Tensor)inputs[0], (long)inputs[2], back: false);
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            var saved = context.get_saved_variables();
            var turned = new Rotation(saved[0], saved[1]).Rotate(gradient, (long)context.get_data(Heads), back: true);
            return [turned.MoveToOuterDisposeScope(), null, null];
        }
    }
}
