using System.Runtime.InteropServices;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Runs.Decoding;

/// <summary>Keys and values of all slots, layer by layer, in one piece of memory each.</summary>
internal sealed unsafe class SlotCache : IDisposable
{
    private readonly float* keys;
    private readonly float* values;
    private readonly int heads;
    private readonly int length;
    private readonly int headWidth;
    private readonly int slots;

    public SlotCache(int layers, int slots, int heads, int length, int headWidth)
    {
        (this.slots, this.heads, this.length, this.headWidth) = (slots, heads, length, headWidth);
        var floats = (nuint)layers * (nuint)slots * (nuint)heads * (nuint)length * (nuint)headWidth;
        Bytes = (long)(2 * floats * sizeof(float));
        keys = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        values = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
    }

    /// <summary>What it takes.</summary>
    public long Bytes { get; }

    /// <summary>Keys of a head [length, head width].</summary>
    public float* Keys(int layer, int slot, int head) => keys + Offset(layer, slot, head);

    /// <summary>Values of a head [length, head width].</summary>
    public float* Values(int layer, int slot, int head) => values + Offset(layer, slot, head);

    /// <summary>Copies those of an adapter that are seen to the beginning of a slot.</summary>
    /// <returns>How many they are.</returns>
    public int Fill(int layer, int slot, KeyValues content)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (first, second) = (content.Keys, content.Values);
        if (content.Mask is { } mask)
        {
            var seen = mask[0].nonzero().reshape(-1);
            (first, second) = (first.index_select(1, seen), second.index_select(1, seen));
        }
        var count = (int)first.size(1);
        if (count > length) throw new InvalidOperationException($"An adapter puts {count} positions before the text; a slot holds {length}.");
        Copy(first, (head, row) => row.CopyTo(new Span<float>(Keys(layer, slot, head), row.Length)));
        Copy(second, (head, row) => row.CopyTo(new Span<float>(Values(layer, slot, head), row.Length)));
        return count;

        void Copy(Tensor from, Action<int, float[]> to)
        {
            for (var head = 0; head < heads; head++) to(head, [.. from[head].to(ScalarType.Float32).cpu().contiguous().data<float>()]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(keys);
        NativeMemory.AlignedFree(values);
    }

    private long Offset(int layer, int slot, int head) => (((long)layer * slots + slot) * heads + head) * length * headWidth;
}
