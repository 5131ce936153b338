using System.Buffers;
using System.Numerics.Tensors;
using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>The blocks of a packed tower, over the rows of a pass and a cache of slots. A row's values do not depend on which others are computed with it: bit for bit.</summary>
internal sealed unsafe class PackedBlocks
{
    private readonly PackedTower tower;
    private readonly SlotCache cache;
    private readonly Rotations rotations;
    private readonly int width;
    private readonly int heads;
    private readonly int keyValueHeads;
    private readonly int headWidth;
    private readonly int feedForward;
    private readonly float epsilon;

    /// <param name="tower">The weights; not disposed.</param>
    /// <param name="cache">Keys and values; not disposed.</param>
    public PackedBlocks(PackedTower tower, SlotCache cache)
    {
        (this.tower, this.cache) = (tower, cache);
        var shape = tower.Shape;
        (width, heads, keyValueHeads, headWidth) = ((int)shape.Width, (int)shape.Heads, (int)shape.KeyValueHeads, (int)shape.HeadWidth);
        (feedForward, epsilon) = ((int)shape.FeedForward, (float)shape.NormEpsilon);
        rotations = new Rotations(headWidth, shape.RotaryBase!.Value);
    }

    /// <summary>Room for a pass over some rows.</summary>
    public PassMemory Memory(int rows) => new(rows, width, (heads + 2 * keyValueHeads) * headWidth, heads * headWidth, feedForward);

    /// <summary>One block for all rows: attention over what each sees, then feed forward.</summary>
    /// <param name="index">Which block.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="pass">Their hidden states, and room to compute in.</param>
    public void Run(int index, PassRow[] rows, PassMemory pass)
    {
        var layer = tower.Layers[index];
        for (var i = 0; i < rows.Length; i++) Normalise(pass.Hidden(i), layer.AttentionNorm, pass.Normal(i));
        layer.QueryKeyValue.Multiply(pass.NormalAt(0), rows.Length, pass.QueryKeyValueAt(0), layer.QueryKeyValue.Outputs);
        for (var i = 0; i < rows.Length; i++) Place(index, layer, rows[i], pass.QueryKeyValue(i));
        if ((long)rows.Length * heads * rows[0].Sees * headWidth > 1 << 16) TorchThreads.ForEach(rows.Length * heads, pair => Attend(index, rows[pair / heads], pair % heads, pair / heads, pass));
        else
            for (var pair = 0; pair < rows.Length * heads; pair++) Attend(index, rows[pair / heads], pair % heads, pair / heads, pass);
        layer.Output.Multiply(pass.AttendedAt(0), rows.Length, pass.NormalAt(0), width);
        for (var i = 0; i < rows.Length; i++)
        {
            TensorPrimitives.Add(pass.Hidden(i), pass.Normal(i), pass.Hidden(i));
            Normalise(pass.Hidden(i), layer.FeedForwardNorm, pass.Normal(i));
        }
        layer.GateUp.Multiply(pass.NormalAt(0), rows.Length, pass.GateUpAt(0), 2 * feedForward);
        for (var i = 0; i < rows.Length; i++)
        {
            // silu(gate) · up
            var gate = pass.GateUp(i)[..feedForward];
            var up = pass.GateUp(i)[feedForward..];
            var inner = pass.Inner(i);
            TensorPrimitives.Sigmoid(gate, inner);
            TensorPrimitives.Multiply(inner, gate, inner);
            TensorPrimitives.Multiply(inner, up, inner);
        }
        layer.Down.Multiply(pass.InnerAt(0), rows.Length, pass.NormalAt(0), width);
        for (var i = 0; i < rows.Length; i++) TensorPrimitives.Add(pass.Hidden(i), pass.Normal(i), pass.Hidden(i));
    }

    /// <summary>The root-mean-square norm of a row.</summary>
    public void Normalise(ReadOnlySpan<float> x, float[] weight, Span<float> to)
    {
        var scale = 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares(x) / x.Length + epsilon);
        TensorPrimitives.Multiply(x, scale, to);
        TensorPrimitives.Multiply(to, weight, to);
    }

    // Queries and keys are normalised and rotated; keys and values go to their place in the cache.
    private void Place(int index, PackedTower.Layer layer, PassRow row, Span<float> fused)
    {
        for (var head = 0; head < heads + keyValueHeads; head++)
        {
            var part = fused.Slice(head * headWidth, headWidth);
            if ((head < heads ? layer.QueryNorm : layer.KeyNorm) is { } norm) Normalise(part, norm, part);
            rotations.Rotate(part, row.Position);
        }
        for (var head = 0; head < keyValueHeads; head++)
        {
            fused.Slice((heads + head) * headWidth, headWidth).CopyTo(new Span<float>(cache.Keys(index, row.Slot, head) + (long)row.At * headWidth, headWidth));
            fused.Slice((heads + keyValueHeads + head) * headWidth, headWidth).CopyTo(new Span<float>(cache.Values(index, row.Slot, head) + (long)row.At * headWidth, headWidth));
        }
    }

    private void Attend(int layer, PassRow row, int head, int place, PassMemory pass)
    {
        var shared = head / (heads / keyValueHeads);
        var keys = cache.Keys(layer, row.Slot, shared);
        var values = cache.Values(layer, row.Slot, shared);
        var rented = ArrayPool<float>.Shared.Rent(row.Sees);
        var scores = rented.AsSpan(0, row.Sees);
        AttentionKernel.Scores(pass.QueryKeyValueAt(place) + head * headWidth, keys, headWidth, 1 / MathF.Sqrt(headWidth), scores);
        TensorPrimitives.SoftMax(scores, scores);
        AttentionKernel.Mix(scores, values, headWidth, pass.AttendedAt(place) + head * headWidth);
        ArrayPool<float>.Shared.Return(rented);
    }
}

/// <summary>A token's place in a pass.</summary>
/// <param name="Slot">Whose it is.</param>
/// <param name="Position">By which it is rotated.</param>
/// <param name="At">Where its key and value stand in the slot.</param>
/// <param name="Sees">How many keys it sees, from the slot's first on.</param>
internal readonly record struct PassRow(int Slot, int Position, int At, int Sees);
