using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Data;

/// <summary>Rows of segments, growing; then padded to the longest and turned into tensors.</summary>
internal sealed class TextRows
{
    /// <summary>Rows are padded to a multiple of this: libraries make a kernel for each length they meet, and keep it.</summary>
    private const int Multiple = 8;

    private readonly List<Row> rows = [];

    private sealed class Row
    {
        public readonly List<long> Ids = [], Segments = [], Positions = [], Targets = [], Needs = [];
        public readonly List<float> Weights = [];
        public int Count;
    }

    /// <summary>Begins a row; segments go to the row begun last.</summary>
    public void Begin() => rows.Add(new Row());

    /// <summary>Tokens in the row begun last.</summary>
    public int Length => rows[^1].Ids.Count;

    /// <summary>Adds a segment.</summary>
    /// <param name="ids">Its tokens.</param>
    /// <param name="firstTarget">Index of the first token that is to be predicted; the count of tokens when there is none.</param>
    /// <param name="weight">Weight of each target.</param>
    /// <param name="needs">What its turn needs.</param>
    public void Add(IReadOnlyList<int> ids, int firstTarget, double weight, NeededModalities needs = NeededModalities.None)
    {
        var row = rows[^1];
        row.Count++;
        for (var i = 0; i < ids.Count; i++)
        {
            var next = i + 1;
            var learnt = next >= firstTarget && next < ids.Count;
            row.Ids.Add(ids[i]);
            row.Segments.Add(row.Count);
            row.Positions.Add(i);
            row.Targets.Add(learnt ? ids[next] : TextBatch.Ignore);
            row.Weights.Add(learnt ? (float)weight : 0);
            row.Needs.Add((long)needs);
        }
    }

    /// <summary>Adds a segment that is judged as a whole: its target stands at its first token.</summary>
    /// <param name="ids">Its tokens.</param>
    /// <param name="label">The target.</param>
    /// <param name="weight">Weight of the target.</param>
    public void AddLabelled(IReadOnlyList<int> ids, long label, double weight)
    {
        var row = rows[^1];
        var first = row.Ids.Count;
        Add(ids, int.MaxValue, 0);
        (row.Targets[first], row.Weights[first]) = (label, (float)weight);
    }

    /// <summary>The rows as tensors.</summary>
    /// <param name="pad">Token that fills them up.</param>
    /// <param name="device">Where the tensors are to live.</param>
    /// <param name="exact">Whether rows end where the longest ends: a prompt is continued from its last place.</param>
    public TextBatch ToTensors(int pad, Device device, bool exact = false)
    {
        var longest = Math.Max(1, rows.Max(row => row.Ids.Count)); // rows of nothing are rows, too
        if (!exact) longest = (longest + Multiple - 1) / Multiple * Multiple;
        var masks = new bool[rows.Count * longest];
        for (var i = 0; i < rows.Count; i++) masks.AsSpan(i * longest, rows[i].Ids.Count).Fill(true);
        return new TextBatch(
            Pack(row => row.Ids, (long)pad, longest, device),
            Tensors.Of(masks, [rows.Count, longest], device),
            Pack(row => row.Segments, 0L, longest, device),
            Pack(row => row.Positions, 0L, longest, device),
            Pack(row => row.Targets, TextBatch.Ignore, longest, device),
            Pack(row => row.Weights, 0f, longest, device))
        {
            Needs = Pack(row => row.Needs, 0L, longest, device),
            Packed = rows.Any(row => row.Count > 1),
            Padded = rows.Any(row => row.Ids.Count < longest),
        };
    }

    private Tensor Pack<T>(Func<Row, List<T>> values, T filler, int longest, Device device)
    {
        var packed = new T[rows.Count * longest];
        Array.Fill(packed, filler);
        for (var i = 0; i < rows.Count; i++) values(rows[i]).CopyTo(packed, i * longest);
        return Tensors.Of(packed, [rows.Count, longest], device);
    }
}

/// <summary>Tensors that no dispose scope owns.</summary>
internal static class Tensors
{
    public static Tensor Of(Array values, long[] shape, Device device)
    {
        // from_array would add a dimension per rank of the array: one flat copy, then a view of it.
        using var scope = NewDisposeScope();
        var flat = values switch
        {
            float[] floats => tensor(floats, device: device),
            long[] longs => tensor(longs, device: device),
            bool[] bools => tensor(bools, device: device),
            _ => throw new NotSupportedException($"No tensor of {values.GetType().GetElementType()}."),
        };
        return flat.reshape(shape).DetachFromDisposeScope();
    }
}
