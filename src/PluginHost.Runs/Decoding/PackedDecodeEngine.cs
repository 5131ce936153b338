using System.Runtime.Intrinsics;
using PluginHost.Catalog;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// Decodes on the CPU, in float32, with weights packed into panels: a step reads every weight once from memory, whatever the number of sequences. What a fusion
/// does it does through its own code, sequence by sequence. A sequence's logits do not depend on what else is in the batch, nor on how its tokens were cut into calls: bit
/// for bit.
/// </summary>
public sealed unsafe class PackedDecodeEngine : IDecodeEngine
{
    private const int MostRows = 16;

    private readonly IDecoder decoder;
    private readonly PackedTower tower;
    private readonly SlotCache cache;
    private readonly SlotState[] states;
    private readonly PackedBlocks blocks;
    private readonly PassMemory stepMemory;
    private readonly PassMemory promptMemory;
    private readonly int width;

    /// <summary>Packs a decoder and allocates its slots.</summary>
    /// <param name="decoder">The decoder; it must outlive the engine.</param>
    /// <param name="described">The same as one that says what it is made of; not one that is refused.</param>
    /// <param name="slots">Sequences at a time.</param>
    /// <param name="length">Positions of a slot.</param>
    public PackedDecodeEngine(IDecoder decoder, IDescribedTower? described, int slots, int length)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        if (Refusal(described) is { } reason) throw new NotSupportedException($"This decoder cannot be packed: {reason}.");
        this.decoder = decoder;
        (Slots, Length) = (slots, length);
        tower = PackedTower.Of(described!);
        var shape = tower.Shape;
        width = (int)shape.Width;
        cache = new SlotCache(shape.Layers, slots, (int)shape.KeyValueHeads, length, (int)shape.HeadWidth);
        blocks = new PackedBlocks(tower, cache);
        states = [.. Enumerable.Range(0, slots).Select(_ => new SlotState())];
        (stepMemory, promptMemory) = (blocks.Memory(MostRows), blocks.Memory(MostRows));
    }

    /// <inheritdoc/>
    public int Slots { get; }

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int Vocabulary => tower.Vocabulary;

    /// <summary>Bytes of weights that a step reads.</summary>
    public long WeightBytes => tower.Bytes;

    /// <summary>Bytes of the cache.</summary>
    public long CacheBytes => cache.Bytes;

    /// <summary>Why a decoder cannot be run here; null: it can.</summary>
    public static string? Refusal(IDescribedTower? described) =>
        Vector256.IsHardwareAccelerated ? PackedTower.Refusal(described) : "this processor has no vectors of 256 bits";

    /// <inheritdoc/>
    public void Begin(int slot, IFusionContext? context = null, AdapterSet? adapters = null)
    {
        if (states[slot].Begun) throw new InvalidOperationException($"Slot {slot} has a sequence already; truncate it to nothing first.");
        using var _ = AdapterSet.Use(adapters);
        if (decoder.Projections.FirstOrDefault(projection => projection.Adapter is not null) is { } adapted)
            throw new NotSupportedException($"An adapter is attached to '{adapted.Name}', and packed weights cannot be added to; merge it.");
        var state = states[slot] = new SlotState
        {
            Begun = true,
            Context = context,
            Adapters = adapters,
            Between = [.. Enumerable.Repeat(context is not null, tower.Layers.Count)],
            AtInput = context is not null,
            AtOutput = context is not null,
        };
        for (var layer = 0; layer < tower.Layers.Count; layer++)
            if (decoder.KeyValueSlots[layer].Content is { } content) (state.Before, state.FirstPosition) = (cache.Fill(layer, slot, content), (int)content.Length);
        if (context?.Prefix is { } prefix) ReadPrefix(slot, prefix);
    }

    /// <inheritdoc/>
    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        using var pass = StepGate.Enter();
        Room(slot, tokens.Length);
        for (var done = 0; done < tokens.Length; done += MostRows)
        {
            var part = tokens[done..Math.Min(done + MostRows, tokens.Length)];
            var rows = new PassRow[part.Length];
            for (var i = 0; i < rows.Length; i++) rows[i] = Next(slot, i);
            Read(rows, part, done + part.Length == tokens.Length ? logits : [], promptMemory);
        }
    }

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, Span<float> logits, Action? between = null)
    {
        using var pass = StepGate.Enter();
        foreach (var slot in slots) Room(slot, 1);
        for (var done = 0; done < slots.Length; done += MostRows)
        {
            var count = Math.Min(MostRows, slots.Length - done);
            var rows = new PassRow[count];
            for (var i = 0; i < count; i++) rows[i] = Next(slots[done + i], 0);
            Read(rows, tokens.Slice(done, count), logits.Slice(done * Vocabulary, count * Vocabulary), stepMemory, between);
        }
    }

    /// <inheritdoc/>
    public void Truncate(int slot, int tokens)
    {
        var state = states[slot];
        if (tokens < 0 || tokens > state.Tokens) throw new ArgumentOutOfRangeException(nameof(tokens), tokens, $"Slot {slot} has {state.Tokens} tokens.");
        if (tokens == 0) states[slot] = new SlotState();
        else state.Tokens = tokens;
    }

    /// <inheritdoc/>
    public int Used(int slot) => states[slot].Tokens;

    /// <inheritdoc/>
    public void Dispose()
    {
        tower.Dispose();
        cache.Dispose();
    }

    private PassRow Next(int slot, int ahead)
    {
        var state = states[slot];
        var at = state.Before + state.Tokens + ahead;
        return new PassRow(slot, state.FirstPosition + state.Tokens + ahead, at, at + 1);
    }

    private void Room(int slot, int tokens)
    {
        var state = states[slot];
        if (!state.Begun) throw new InvalidOperationException($"Slot {slot} has no sequence; begin one first.");
        if (state.Before + state.Tokens + tokens > Length)
            throw new InvalidOperationException($"A slot holds {Length} positions; {state.Before + state.Tokens} are filled and {tokens} more do not fit.");
    }

    // Its tokens see each other in both directions; those that are not real are seen by nobody, so they are left out, but their places count.
    private void ReadPrefix(int slot, Masked prefix)
    {
        using var pass = StepGate.Enter();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var state = states[slot];
        var seen = prefix.Mask[0].cpu().data<bool>().ToArray();
        var values = prefix.Data[0].to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();   // [prefix, width]
        var real = Enumerable.Range(0, seen.Length).Where(i => seen[i]).ToArray();
        if (state.Before + real.Length > Length) throw new InvalidOperationException($"A slot holds {Length} positions; the fusion's prefix of {real.Length} does not fit.");
        var large = blocks.Memory(real.Length);
        var rows = new PassRow[real.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new PassRow(slot, state.FirstPosition + real[i], state.Before + i, state.Before + rows.Length);
            values.AsSpan(real[i] * width, width).CopyTo(large.Hidden(i));
        }
        for (var layer = 0; layer < tower.Layers.Count; layer++) blocks.Run(layer, rows, large);
        (state.Before, state.FirstPosition) = (state.Before + rows.Length, state.FirstPosition + seen.Length);
    }

    private void Read(PassRow[] rows, ReadOnlySpan<int> tokens, Span<float> logits, PassMemory memory, Action? between = null)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var token in tokens)
            if ((uint)token >= (uint)Vocabulary) throw new InvalidOperationException($"Token {token} is not an id of this vocabulary of {Vocabulary}.");
        for (var i = 0; i < rows.Length; i++) tower.Embedding.AsSpan(tokens[i] * width, width).CopyTo(memory.Hidden(i));
        ForEachSequence(rows, (state, first, count) =>
        {
            if (state.AtInput) state.AtInput = Fused(memory, first, count, state, (context, hidden) => context.AtInput(hidden));
        });
        for (var layer = 0; layer < tower.Layers.Count; layer++)
        {
            between?.Invoke();
            blocks.Run(layer, rows, memory);
            var index = layer;
            ForEachSequence(rows, (state, first, count) =>
            {
                if (state.Between[index]) state.Between[index] = Fused(memory, first, count, state, (context, hidden) => context.BetweenLayers(index, hidden));
            });
        }
        foreach (var row in rows) states[row.Slot].Tokens++;
        if (!logits.IsEmpty) Logits(rows, logits, memory);
    }

    // The last row's, or each row's: as many as there is room for.
    private void Logits(PassRow[] rows, Span<float> logits, PassMemory memory)
    {
        var wanted = logits.Length / Vocabulary;
        var first = rows.Length - wanted;
        for (var i = first; i < rows.Length; i++) blocks.Normalise(memory.Hidden(i), tower.Norm, memory.Normal(i));
        fixed (float* to = logits) tower.Head.Multiply(memory.NormalAt(first), wanted, to, Vocabulary);
        for (var i = first; i < rows.Length; i++)
        {
            var state = states[rows[i].Slot];
            if (!state.AtOutput) continue;
            using var adapters = AdapterSet.Use(state.Adapters);
            var own = logits.Slice((i - first) * Vocabulary, Vocabulary);
            var before = tensor(own.ToArray(), [1, 1, Vocabulary]);
            var after = state.Context!.AtOutput(tensor(memory.Normal(i).ToArray(), [1, 1, width]), before);
            state.AtOutput = !ReferenceEquals(before, after);
            if (state.AtOutput) after.to(ScalarType.Float32).cpu().contiguous().data<float>().CopyTo(own);
        }
    }

    // Rows of one sequence stand side by side.
    private void ForEachSequence(PassRow[] rows, Action<SlotState, int, int> body)
    {
        for (int first = 0, next; first < rows.Length; first = next)
        {
            next = first + 1;
            while (next < rows.Length && rows[next].Slot == rows[first].Slot) next++;
            body(states[rows[first].Slot], first, next - first);
        }
    }

    // Whether the fusion changed anything.
    private bool Fused(PassMemory memory, int first, int count, SlotState state, Func<IFusionContext, Tensor, Tensor> point)
    {
        using var adapters = AdapterSet.Use(state.Adapters);
        var before = empty(1, count, width);
        var rows = new Span<float>(memory.HiddenAt(first), count * width);
        rows.CopyTo(new Span<float>(Floats.Of(before), rows.Length));
        var after = point(state.Context!, before);
        if (ReferenceEquals(before, after)) return false;
        after.to(ScalarType.Float32).cpu().contiguous().data<float>().CopyTo(rows);
        return true;
    }
}
