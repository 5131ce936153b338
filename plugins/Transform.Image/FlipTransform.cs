// Mirrors a picture. A mirror makes 'left' untrue: a sample of which sides are said or asked stays as it is.
using System.ComponentModel;
using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Along which axis a picture is mirrored.</summary>
public enum FlipAxis
{
    /// <summary>Left and right change places.</summary>
    Horizontal,

    /// <summary>Above and below change places.</summary>
    Vertical,
}

/// <summary>Settings of <c>transform.flip</c>.</summary>
/// <param name="Axis">Which sides change places.</param>
/// <param name="Spare">Words at which the picture is left as it is.</param>
public sealed record FlipOptions(
    [property: Description("Which sides change places: left and right (horizontal), or above and below (vertical).")] FlipAxis Axis = FlipAxis.Horizontal,
    [property: Description("Words at which the picture is left as it is; by default those of the sides that change places, in English, French and Chinese.")] string[]? Spare = null);

/// <summary>Mirror image.</summary>
[Plugin("transform.flip", "Mirrors pictures, unless a text or turn speaks of the sides that change places.")]
public sealed class FlipTransform(FlipOptions options) : ITransform
{
    private readonly SpareWords spare = new(options.Spare ?? (options.Axis == FlipAxis.Horizontal ? SpareWords.Sides : SpareWords.Heights));

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Image is not Picture picture || spare.AreIn(sample)) return sample;
        var (width, height) = (picture.Width, picture.Height);
        var rgb = new byte[picture.Rgb.Length];
        for (var y = 0; y < height; y++)
        {
            var from = picture.Rgb.AsSpan(3 * y * width, 3 * width);
            var to = rgb.AsSpan(3 * (options.Axis == FlipAxis.Vertical ? height - 1 - y : y) * width, 3 * width);
            if (options.Axis == FlipAxis.Vertical) from.CopyTo(to);
            else for (var x = 0; x < width; x++) from.Slice(3 * x, 3).CopyTo(to[(3 * (width - 1 - x))..]);
        }
        return sample with { Image = picture with { Rgb = rgb } };
    }
}
