using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Data;

/// <summary>Samples as tensors on the device. The tensors belong to no dispose scope and are freed by <see cref="Dispose"/>.</summary>
public sealed class Batch : IDisposable
{
    /// <summary>Pictures [B, 3, H, W] in 0..1 with mask [B]; null when the graph uses none.</summary>
    public Masked? Image { get; init; }

    /// <summary>Sounds [B, S] in -1..1 with mask [B, S]; null when the graph uses none.</summary>
    public Masked? Audio { get; init; }

    /// <summary>Videos [B, F, 3, H, W] in 0..1 with mask [B, F]; null when the graph uses none.</summary>
    public Masked? Video { get; init; }

    /// <summary>Turns, or prompts to be continued; null when the project has no tokenizer.</summary>
    public TextBatch? Text { get; init; }

    /// <summary>One caption a row; null when the project has no tokenizer or the graph reads no captions.</summary>
    public TextBatch? Caption { get; init; }

    /// <summary>Questions with one answer each, the right one first and then wrong ones; null when the graph ranks none.</summary>
    public TextBatch? Candidates { get; init; }

    /// <summary>The prompt of a drawn turn, one a row; null when the graph reads no pairs.</summary>
    public TextBatch? Query { get; init; }

    /// <summary>The answer of that turn, one a row.</summary>
    public TextBatch? Passage { get; init; }

    /// <summary>One of that turn's wrong answers, one a row; nothing is real in a row whose turn has none.</summary>
    public TextBatch? Negative { get; init; }

    /// <summary>What the rows are made of, in their order; samples without media may share a row.</summary>
    public required IReadOnlyList<Sample> Samples { get; init; }

    /// <summary>The same batch without what is seen or heard: zeros under an all-false mask. To be disposed by itself.</summary>
    /// <param name="modalities"><c>image</c>, <c>audio</c>, <c>video</c>.</param>
    public Batch Blank(params IReadOnlyList<string> modalities) => new()
    {
        Image = modalities.Contains(Modality.Image) ? Blanked(Image) : Share(Image),
        Audio = modalities.Contains(Modality.Audio) ? Blanked(Audio) : Share(Audio),
        Video = modalities.Contains(Modality.Video) ? Blanked(Video) : Share(Video),
        Text = Share(Text),
        Caption = Share(Caption),
        Candidates = Share(Candidates),
        Query = Share(Query),
        Passage = Share(Passage),
        Negative = Share(Negative),
        Samples = Samples,
    };

    public void Dispose()
    {
        foreach (var tensor in Tensors()) tensor.Dispose();
    }

    private IEnumerable<Tensor> Tensors()
    {
        foreach (var masked in (Masked?[])[Image, Audio, Video, Text, Caption, Candidates, Query, Passage, Negative])
        {
            if (masked is null) continue;
            yield return masked.Data;
            yield return masked.Mask;
            if (masked is not TextBatch text) continue;
            if (text.Needs is { } needs) yield return needs;
            foreach (var tensor in (Tensor[])[text.Segments, text.Positions, text.Targets, text.Weights]) yield return tensor;
        }
    }

    private static Masked? Blanked(Masked? masked) => masked is null ? null : new Masked(Free(zeros_like(masked.Data)), Free(zeros_like(masked.Mask)));

    private static Masked? Share(Masked? masked) => masked is null ? null : new Masked(Alias(masked.Data), Alias(masked.Mask));

    private static TextBatch? Share(TextBatch? text) => text is null ? null : new TextBatch(
        Alias(text.Ids), Alias(text.Mask), Alias(text.Segments), Alias(text.Positions), Alias(text.Targets), Alias(text.Weights))
    {
        Needs = text.Needs is { } needs ? Alias(needs) : null,
        Packed = text.Packed,
        Padded = text.Padded,
    };

    /// <summary>A second handle to the same values, so that each batch frees its own.</summary>
    private static Tensor Alias(Tensor tensor) => Free(tensor.detach());

    private static Tensor Free(Tensor tensor) => tensor.DetachFromDisposeScope();
}

/// <summary>Names of modalities in configs, samples and masks.</summary>
internal static class Modality
{
    public const string Text = "text";
    public const string Image = "image";
    public const string Audio = "audio";
    public const string Video = "video";
}
