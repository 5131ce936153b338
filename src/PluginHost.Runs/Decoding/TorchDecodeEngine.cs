using System.Runtime.InteropServices;
using PluginHost.Catalog;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// The decode engine over a decoder as it is: any device, any fusion. Each slot has a cache of its own and is a forward pass of its own,
/// so that sequences of different lengths and fusions need no padding. The decoder must be in evaluation mode and outlive the engine.
/// </summary>
public sealed class TorchDecodeEngine : IDecodeEngine
{
    private readonly IDecoder decoder;
    private readonly Device device;
    private readonly Sequence[] sequences;

    /// <param name="decoder">The tower; not disposed.</param>
    /// <param name="slots">Most sequences at a time.</param>
    /// <param name="length">Most tokens of one sequence, the fusion's prefix included.</param>
    /// <param name="vocabulary">Number of token ids.</param>
    /// <param name="device">Where the decoder lives.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    public TorchDecodeEngine(IDecoder decoder, int slots, int length, int vocabulary, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabulary, 1);
        (this.decoder, this.device, Length, Vocabulary) = (decoder, device, length, vocabulary);
        sequences = [.. Enumerable.Range(0, slots).Select(_ => new Sequence(decoder.CreateCache(1, length)))];
    }

    /// <inheritdoc/>
    public int Slots => sequences.Length;

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int Vocabulary { get; }

    /// <inheritdoc/>
    public int Used(int slot) => sequences[slot].Used;

    /// <inheritdoc/>
    public void Begin(int slot, IFusionContext? context = null, AdapterSet? adapters = null)
    {
        var sequence = sequences[slot];
        if (sequence.Begun) throw new InvalidOperationException($"Slot {slot} has a sequence already; truncate it to nothing first.");
        var prefix = context?.Prefix?.Data;
        if (prefix is not null && prefix.size(0) != 1)
            throw new InvalidOperationException($"A sequence is one row, but the fusion's prefix has {prefix.size(0)} rows.");
        var positions = prefix?.size(1) ?? 0;
        if (positions >= Length) throw new InvalidOperationException($"The fusion's prefix has {positions} positions; a slot has {Length} for it and the text.");
        (sequence.Begun, sequence.Context, sequence.Adapters, sequence.Prefix) = (true, context, adapters, (int)positions);
    }

    /// <inheritdoc/>
    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits) => Read(slot, tokens, logits);

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, Span<float> logits, Action? between = null)
    {
        for (var i = 0; i < slots.Length; i++)
        {
            if (i > 0) between?.Invoke();
            Read(slots[i], tokens.Slice(i, 1), logits.Slice(i * Vocabulary, Vocabulary));
        }
    }

    /// <inheritdoc/>
    public void Truncate(int slot, int tokens)
    {
        var sequence = sequences[slot];
        if (tokens < 0 || tokens > sequence.Used) throw new ArgumentOutOfRangeException(nameof(tokens), tokens, $"Slot {slot} has {sequence.Used} tokens.");
        sequence.Used = tokens;
        sequence.Cache.Truncate(tokens == 0 ? 0 : sequence.Prefix + tokens);
        if (tokens == 0) (sequence.Begun, sequence.Context, sequence.Adapters, sequence.Prefix) = (false, null, null, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var sequence in sequences) sequence.Cache.Dispose();
    }

    private void Read(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var sequence = sequences[slot];
        if (!sequence.Begun) throw new InvalidOperationException($"Slot {slot} has no sequence; begin one first.");
        if (sequence.Prefix + sequence.Used + tokens.Length > Length)
            throw new InvalidOperationException($"A slot has {Length} positions; slot {slot} has {Length - sequence.Prefix - sequence.Used} left, and {tokens.Length} tokens do not fit.");
        using var pass = StepGate.Enter();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var chosen = AdapterSet.Use(sequence.Adapters);
        var all = decoder.Forward(Text(tokens, sequence.Used), sequence.Context, sequence.Cache);  // [1, tokens, vocabulary]
        sequence.Used += tokens.Length;
        if (logits.IsEmpty) return;
        if (all.size(2) != Vocabulary) throw new InvalidOperationException($"The decoder gives {all.size(2)} logits a token; the engine was told of {Vocabulary}.");
        var last = all.select(1, tokens.Length - 1).to(float32).cpu().contiguous();                // [1, vocabulary]
        MemoryMarshal.Cast<byte, float>(last.bytes).CopyTo(logits);
    }

    private TextBatch Text(ReadOnlySpan<int> tokens, int first)
    {
        var numbers = new long[tokens.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            // On an accelerator an index out of range ends the process.
            if ((uint)tokens[i] >= (uint)Vocabulary) throw new InvalidOperationException($"Token {tokens[i]} is not an id of this vocabulary of {Vocabulary}.");
            numbers[i] = tokens[i];
        }
        var ids = tensor(numbers, [1, numbers.Length], device: device);
        var positions = arange(first, first + numbers.Length, dtype: ScalarType.Int64, device: device).unsqueeze(0);
        return new TextBatch(ids, ones_like(ids, dtype: ScalarType.Bool), ones_like(ids), positions, full_like(ids, TextBatch.Ignore), zeros_like(ids, dtype: float32));
    }

    // Used: text tokens in the cache. Prefix: positions that the fusion takes before them, from the first read on.
    private sealed class Sequence(KeyValueCache cache)
    {
        public KeyValueCache Cache => cache;

        public bool Begun { get; set; }

        public IFusionContext? Context { get; set; }

        public AdapterSet? Adapters { get; set; }

        public int Prefix { get; set; }

        public int Used { get; set; }
    }
}
