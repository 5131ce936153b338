using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// A decoder with a preallocated key/value cache of slots. One thread uses it at a time; the one who created it disposes it. A call that
/// throws leaves the slots that it named in no certain state: truncate them to nothing.
/// </summary>
public interface IDecodeEngine : IDisposable
{
    /// <summary>Most sequences at a time.</summary>
    int Slots { get; }

    /// <summary>Most tokens of one sequence, with what the fusion and an adapter put before the text.</summary>
    int Length { get; }

    /// <summary>Number of token ids, and of logits of a token.</summary>
    int Vocabulary { get; }

    /// <summary>Begins a sequence in a free slot: what the fusion says about it and what an adapter adds to it, if anything, are bound to it.</summary>
    /// <exception cref="InvalidOperationException">The slot is not free, or what stands before the text does not fit.</exception>
    /// <exception cref="NotSupportedException">The engine cannot add that.</exception>
    void Begin(int slot, IFusionContext? context = null, AdapterSet? adapters = null);

    /// <summary>Reads tokens of one sequence after those it has; logits of the last one: [vocabulary], or empty when not wanted.</summary>
    /// <exception cref="InvalidOperationException">The slot has no sequence, or no room for the tokens.</exception>
    void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>One token for each of some sequences; logits: [slots.Length * vocabulary], in the order of slots.</summary>
    /// <param name="slots">Whose.</param>
    /// <param name="tokens">The token of each.</param>
    /// <param name="logits">What follows.</param>
    /// <param name="between">
    /// Called where the step can be interrupted, as between two layers: it may use all other slots, so that a short prompt need not wait for the end of a step. It does not throw. Null: nobody
    /// interrupts.
    /// </param>
    /// <exception cref="InvalidOperationException">A slot has no sequence, or no room for a token.</exception>
    void Step(ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, Span<float> logits, Action? between = null);

    /// <summary>Forgets a sequence's tokens after the first <paramref name="tokens"/>; 0 frees the slot.</summary>
    void Truncate(int slot, int tokens);

    /// <summary>Tokens it has, the fusion's prefix not counted.</summary>
    int Used(int slot);
}
