// Do a caption and what it speaks of belong together? Cosine of their vectors under a dual tower that a contrastive objective has trained (as in
// Schuhmann et al. 2021, LAION-400M), against a bound: what stands in the settings, or median − k · MAD (scaled by 1.4826, so that k counts
// standard deviations of a normal distribution) of the corpus. Not a percentile: that drops its share of a clean corpus too.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Filter.Alignment;

/// <summary>What captions are held against.</summary>
public enum Medium
{
    /// <summary>The picture.</summary>
    Image,

    /// <summary>The sound.</summary>
    Audio,
}

/// <summary>Settings of <see cref="AlignmentFilter"/>; of the two bounds the higher one counts.</summary>
/// <param name="Run">The trained run: folder, name, or <c>latest</c>.</param>
/// <param name="Medium">What captions are held against.</param>
/// <param name="Threshold">Smallest cosine that is kept, -1 to 1; -1: none.</param>
/// <param name="Deviations">How far below the median of its language a caption's cosine may lie, in robust standard deviations; 0: any distance.</param>
/// <param name="Fewest">Fewest captions of a language of which the median is taken.</param>
public sealed record AlignmentOptions(
    [property: Description("The trained run that judges, with a contrastive objective between a text encoder and one of the medium: its folder, its name, or 'latest'.")] string? Run = null,
    [property: Description("What captions are held against: image or audio.")] Medium Medium = Medium.Image,
    [property: Range(-1.0, 1.0), Description("Smallest cosine of caption and medium that is kept; -1: none.")] double Threshold = -1,
    [property: Range(0.0, 100.0), Description("How far below the median of its language a caption's cosine may lie, in robust standard deviations; 0: any distance.")] double Deviations = 5,
    [property: Range(3, 1_000_000), Description("Fewest captions of a language of which the median is taken; with less, only the threshold counts.")] int Fewest = 50);

/// <summary>Alignment.</summary>
[Plugin("filter.alignment", "Drops samples whose caption and picture (or sound) do not belong together, by a trained dual tower.")]
[Requires(Capability.EmbeddingGenerator, From = nameof(AlignmentOptions.Run))]
public sealed class AlignmentFilter(AlignmentOptions options) : IFilterPlugin
{
    /// <inheritdoc/>
    public IFilter Open(FilterContext context) => new OpenAlignmentFilter(options, context, context.Build.Required<IEmbeddingGenerator<AIContent, Embedding<float>>>());
}
