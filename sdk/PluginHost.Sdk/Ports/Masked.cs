using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>A batch with a validity mask: what is false in the mask is padding or absent and must not change any result.</summary>
/// <param name="Data">The values; first dimension is the batch.</param>
/// <param name="Mask">Bool, true where the data is real: [batch] for pictures, [batch, positions] for sequences and the frames of videos.</param>
public record Masked(Tensor Data, Tensor Mask);

/// <summary>
/// A batch of token ids, padded to one length. A row may pack several independent segments: a token sees only tokens of its own
/// segment, and positions restart with each.
/// </summary>
/// <param name="Ids">Token ids, int64 [batch, tokens].</param>
/// <param name="Mask">Bool [batch, tokens], true where the token is real.</param>
/// <param name="Segments">Int64 [batch, tokens]: 1, 2, ... for the segments of a row, 0 for padding.</param>
/// <param name="Positions">Int64 [batch, tokens]: position within the segment, from 0.</param>
/// <param name="Targets">Int64 [batch, tokens]: the id to predict at this position (already shifted), or <see cref="Ignore"/>.</param>
/// <param name="Weights">Float [batch, tokens]: weight of each target in the loss, 0 where it is ignored.</param>
public sealed record TextBatch(Tensor Ids, Tensor Mask, Tensor Segments, Tensor Positions, Tensor Targets, Tensor Weights) : Masked(Ids, Mask)
{
    /// <summary>The target that means: no loss here.</summary>
    public const long Ignore = -100;

    /// <summary>Whether any row holds more than one segment; false lets a tower use plain causal attention.</summary>
    public bool Packed { get; init; }

    /// <summary>Int64 [batch, tokens]: what the target's turn needs, as <see cref="NeededModalities"/>; null when nothing says.</summary>
    public Tensor? Needs { get; init; }

    /// <summary>Whether any row ends in padding.</summary>
    public bool Padded { get; init; }
}

/// <summary>Modalities without which a turn can only be guessed, as flags.</summary>
[Flags]
public enum NeededModalities
{
    /// <summary>The text says it all.</summary>
    None = 0,

    /// <summary>The picture.</summary>
    Image = 1,

    /// <summary>The sound.</summary>
    Audio = 2,

    /// <summary>The video.</summary>
    Video = 4,
}
