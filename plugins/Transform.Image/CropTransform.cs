// Random resized crop (Szegedy et al. 2015): a part of the picture, of an area drawn evenly from smallest to 1 and of an aspect drawn evenly in
// its logarithm from 1/stretch to stretch, fills the whole.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Settings of <c>transform.crop</c>.</summary>
/// <param name="Smallest">Smallest area that is kept, as a part of the picture's.</param>
/// <param name="Stretch">Largest ratio of width to height, or of height to width, of what is kept, against the picture's.</param>
/// <param name="Spare">Words at which the picture is left as it is.</param>
public sealed record CropOptions(
    [property: Range(0.05, 1.0), Description("Smallest area that is kept, as a part of the picture's.")] double Smallest = 0.6,
    [property: Range(1.0, 4.0), Description("Largest stretching of what is kept: width to height, or height to width, against the picture's.")] double Stretch = 1.25,
    [property: Description("Words at which the picture is left as it is; by default those of sides, of heights and of counting in English, French and Chinese, since what is cut off is missing and the rest lies elsewhere.")] string[]? Spare = null);

/// <summary>Crop.</summary>
[Plugin("transform.crop", "Fills the picture with a random part of it.")]
public sealed class CropTransform(CropOptions options) : ITransform
{
    private readonly SpareWords spare = new(options.Spare ?? [.. SpareWords.Sides, .. SpareWords.Heights, .. SpareWords.Counts]);

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Image is not Picture picture || spare.AreIn(sample)) return sample;
        var area = options.Smallest + (1 - options.Smallest) * random.NextDouble();
        var aspect = Math.Exp((2 * random.NextDouble() - 1) * Math.Log(options.Stretch));
        var (width, height) = (Math.Min(1, Math.Sqrt(area * aspect)), Math.Min(1, Math.Sqrt(area / aspect)));
        var (left, top) = ((1 - width) * random.NextDouble() * picture.Width, (1 - height) * random.NextDouble() * picture.Height);
        return sample with { Image = new Affine((float)width, 0, (float)left, 0, (float)height, (float)top).Apply(picture, white: false) };
    }
}
