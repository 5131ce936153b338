using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>A decoder with a preallocated key/value cache of slots, each of which holds one sequence. One thread uses it at a time.</summary>
public interface IDecodeEngine : IDisposable
{
    /// <summary>Sequences at a time, at most.</summary>
    int Slots { get; }

    /// <summary>Tokens of a sequence at most, with what the fusion and an adapter put before the text.</summary>
    int Length { get; }

    /// <summary>Tokens that there are.</summary>
    int Vocabulary { get; }

    /// <summary>Begins a sequence in a free slot.</summary>
    /// <param name="slot">Which.</param>
    /// <param name="context">What the fusion says about this sequence (a batch of one), or null. It must live until the slot is free.</param>
    /// <param name="adapters">What an adapter adds in this sequence, or null.</param>
    /// <exception cref="NotSupportedException">This engine cannot add that.</exception>
    void Begin(int slot, IFusionContext? context = null, AdapterSet? adapters = null);

    /// <summary>Reads tokens of one sequence behind those it has.</summary>
    /// <param name="slot">Which; it has begun.</param>
    /// <param name="tokens">One at least.</param>
    /// <param name="logits">For those of the last token [vocabulary], or empty: they are not wanted.</param>
    /// <exception cref="InvalidOperationException">There is no room for them.</exception>
    void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>Reads one token of each of some sequences.</summary>
    /// <param name="slots">Which, each once.</param>
    /// <param name="tokens">A token of each.</param>
    /// <param name="logits">[slots, vocabulary], in the order of the slots.</param>
    /// <exception cref="InvalidOperationException">There is no room for one.</exception>
    void Step(ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>Forgets the tokens of a sequence but the first ones; what stands before the text stays.</summary>
    void Truncate(int slot, int tokens);

    /// <summary>Forgets a sequence and what was bound to it.</summary>
    void Free(int slot);

    /// <summary>Tokens of the text that a slot holds.</summary>
    int Used(int slot);
}
