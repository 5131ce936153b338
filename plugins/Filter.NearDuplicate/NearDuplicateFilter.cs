// Drops all but the first of samples that are nearly the same. Texts: MinHash signatures of word shingles (Broder 1997), found by
// locality-sensitive hashing over bands. Pictures: the correlation of small views of them, found by the signs of random projections (Charikar 2002).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Filter.NearDuplicate;

/// <summary>What two samples are compared by.</summary>
public enum Comparison
{
    /// <summary>By picture and text: both resemble each other, or the one that both have while the other is in neither.</summary>
    Both,

    /// <summary>By text alone.</summary>
    Text,

    /// <summary>By picture alone.</summary>
    Image,
}

/// <summary>Settings of <c>filter.near-duplicate</c>.</summary>
/// <param name="By">What two samples are compared by.</param>
/// <param name="Similarity">Share of common shingles (Jaccard) from which texts are nearly the same.</param>
/// <param name="Words">Words in a shingle; characters in one of Chinese.</param>
/// <param name="Correlation">Correlation of the small pictures from which they are nearly the same.</param>
public sealed record NearDuplicateOptions(
    [property: Description("What two samples are compared by: text, image, or both; with both, what they have must resemble each other in both.")] Comparison By = Comparison.Both,
    [property: Range(0.1, 1.0), Description("Share of common shingles (Jaccard) from which texts are nearly the same.")] double Similarity = 0.8,
    [property: Range(1, 16), Description("Words in a shingle; characters in one of Chinese.")] int Words = 3,
    [property: Range(0.5, 1.0), Description("Correlation of the pictures at 32x32 pixels, from 0.5 to 1, from which they are nearly the same.")] double Correlation = 0.97);

/// <summary>Near-duplicates.</summary>
[Plugin("filter.near-duplicate", "Keeps the first of samples with nearly the same text and picture.")]
public sealed class NearDuplicateFilter(NearDuplicateOptions options) : IFilterPlugin
{
    /// <inheritdoc/>
    public IFilter Open(FilterContext context) => new OpenNearDuplicateFilter(options, context);
}

internal sealed class OpenNearDuplicateFilter : IFilter
{
    private readonly NearDuplicateOptions options;
    private readonly FilterContext context;
    private readonly Shingles shingles;
    private readonly TextBands textBands;
    private readonly PictureBands pictureBands = new();
    private readonly List<Fingerprint> kept = [];
    private readonly Dictionary<string, FilterDecision> decisions = [];
    private readonly double threshold;

    private readonly record struct Fingerprint(string Id, uint[]? Text, PictureViews? Image);

    public OpenNearDuplicateFilter(NearDuplicateOptions options, FilterContext context)
    {
        (this.options, this.context) = (options, context);
        (shingles, textBands) = (new(options.Words), new(options.Similarity));
        threshold = options.By == Comparison.Image ? options.Correlation : options.Similarity;
    }

    /// <summary>Everything happens here, in order: the first of a group is the one that is kept.</summary>
    public void Survey(Sample sample)
    {
        var picture = options.By == Comparison.Text || sample.Image is null ? null : Decode(sample.Image);
        var print = new Fingerprint(
            sample.Id,
            options.By == Comparison.Image ? null : MinHash.Of(shingles.Of(sample.Texts.Values)),
            picture is null ? null : new PictureViews(picture));
        decisions[sample.Id] = Decision(print);
    }

    /// <inheritdoc/>
    public FilterDecision Decide(Sample sample) => decisions.TryGetValue(sample.Id, out var decision)
        ? decision
        : throw new InvalidOperationException($"filter.near-duplicate: '{sample.Id}' has not been surveyed.");

    /// <inheritdoc/>
    public void Dispose()
    {
        // holds memory alone
    }

    private FilterDecision Decision(Fingerprint print)
    {
        if (print is { Text: null, Image: null }) return new FilterDecision(true, double.NaN, threshold, "nothing to compare");
        var (nearest, same, score, reason) = ("", false, 0.0, "");
        foreach (var index in Candidates(print))
        {
            var other = kept[index];
            // What one has and the other has not makes them different.
            if (print.Text is null != other.Text is null || print.Image is null != other.Image is null) continue;
            var (alike, likeness, why) = Compare(print, other);
            if ((alike && !same) || (alike == same && likeness > score)) (nearest, same, score, reason) = (other.Id, alike, likeness, why);
        }
        if (same) return new FilterDecision(false, score, Threshold(print), $"near-duplicate of '{nearest}': {reason}") { Similar = [nearest] };
        Keep(print);
        return new FilterDecision(true, score, Threshold(print), "kept");
    }

    // The likeness of texts decides where both have one: it is the finer of the two.
    private double Threshold(Fingerprint print) => print.Text is null ? options.Correlation : options.Similarity;

    private (bool Alike, double Likeness, string Why) Compare(Fingerprint one, Fingerprint other)
    {
        var text = one.Text is null ? 1 : MinHash.Similarity(one.Text, other.Text!);
        var correlation = one.Image is null ? 1 : one.Image.Likeness(other.Image!);
        var seen = correlation >= options.Correlation;
        var parts = new List<string>();
        if (one.Text is not null) parts.Add(FormattableString.Invariant($"{text:0.00} of the text in common"));
        if (one.Image is not null) parts.Add(FormattableString.Invariant($"pictures correlate with {correlation:0.000}"));
        return (text >= options.Similarity && seen, one.Text is null ? Math.Max(0, correlation) : seen ? text : 0, string.Join(", ", parts));
    }

    // Pictures differ more than captions do: fewer are found by chance.
    private SortedSet<int> Candidates(Fingerprint print) => print.Image is { } image ? pictureBands.Find(image.Coarse()) : textBands.Find(print.Text!);

    private void Keep(Fingerprint print)
    {
        if (print.Image is { } image) pictureBands.Add(image.Coarse(), kept.Count);
        else textBands.Add(print.Text!, kept.Count);
        kept.Add(print);
    }

    private Picture Decode(MediaContent content) => context.Decode(content, "image", new MediaFormat(PictureViews.Size, 8000, 1)) as Picture
        ?? throw new BadSampleException("the picture was decoded to something else");
}
