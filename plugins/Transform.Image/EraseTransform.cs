// Random erasing (Zhong et al. 2017): a rectangle of an area drawn evenly from 0.02 to largest, of an aspect from 1/3 to 3, filled with noise.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Settings of <c>transform.erase</c>.</summary>
/// <param name="Largest">Largest area that is erased, as a part of the picture's.</param>
/// <param name="Spare">Words at which the picture is left as it is.</param>
public sealed record EraseOptions(
    [property: Range(0.02, 0.5), Description("Largest area that is erased, as a part of the picture's.")] double Largest = 0.2,
    [property: Description("Words at which the picture is left as it is; by default those of counting in English, French and Chinese.")] string[]? Spare = null);

/// <summary>Random erasing.</summary>
[Plugin("transform.erase", "Hides a random rectangle of pictures under noise.")]
public sealed class EraseTransform(EraseOptions options) : ITransform
{
    private const double Smallest = 0.02;
    private const double Stretch = 3;

    private readonly SpareWords spare = new(options.Spare ?? SpareWords.Counts);

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Image is not Picture picture || spare.AreIn(sample)) return sample;
        var area = (Smallest + (options.Largest - Smallest) * random.NextDouble()) * picture.Width * picture.Height;
        var aspect = Math.Exp((2 * random.NextDouble() - 1) * Math.Log(Stretch));
        var (width, height) = (Math.Clamp((int)Math.Sqrt(area * aspect), 1, picture.Width), Math.Clamp((int)Math.Sqrt(area / aspect), 1, picture.Height));
        var (left, top) = (random.Next(picture.Width - width + 1), random.Next(picture.Height - height + 1));
        var rgb = picture.Rgb.ToArray();
        for (var y = top; y < top + height; y++) random.NextBytes(rgb.AsSpan(3 * (y * picture.Width + left), 3 * width));
        return sample with { Image = picture with { Rgb = rgb } };
    }
}
