// Colour jitter. On values r in 0..1, in this order, with one draw each for the whole picture:
//   hue: a rotation of the chroma plane of YIQ;  saturation: y + s (r - y), y the luma;  contrast: m + c (r - m), m the mean luma;  brightness: b r.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.Intrinsics;
using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Settings of <c>transform.colour</c>.</summary>
/// <param name="Brightness">Largest change of the brightness, as a part of it.</param>
/// <param name="Contrast">Largest change of the contrast, as a part of it.</param>
/// <param name="Saturation">Largest change of the saturation, as a part of it.</param>
/// <param name="Hue">Largest turn of the hue, in degrees.</param>
/// <param name="Spare">Words at which the hue is left as it is.</param>
public sealed record ColourOptions(
    [property: Range(0.0, 1.0), Description("Largest change of the brightness, as a part of it.")] double Brightness = 0.2,
    [property: Range(0.0, 1.0), Description("Largest change of the contrast, as a part of it.")] double Contrast = 0.2,
    [property: Range(0.0, 1.0), Description("Largest change of the saturation, as a part of it.")] double Saturation = 0.2,
    [property: Range(0.0, 180.0), Description("Largest turn of the hue, in degrees, to either side.")] double Hue = 0,
    [property: Description("Words at which the hue is left as it is; by default the names of colours in English, French and Chinese.")] string[]? Spare = null);

/// <summary>Colour jitter.</summary>
[Plugin("transform.colour", "Changes brightness, contrast, saturation and hue of pictures.")]
public sealed class ColourTransform(ColourOptions options) : ITransform
{
    private readonly SpareWords spare = new(options.Spare ?? SpareWords.Colours);

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Image is not Picture picture) return sample;
        float Factor(double largest) => (float)(1 + (2 * random.NextDouble() - 1) * largest);
        var (brightness, contrast, saturation) = (Factor(options.Brightness), Factor(options.Contrast), Factor(options.Saturation));
        var turn = (2 * random.NextDouble() - 1) * options.Hue;
        var matrix = Hue(turn == 0 || spare.AreIn(sample) ? 0 : turn * Math.PI / 180);
        return sample with { Image = picture with { Rgb = Jittered(picture.Rgb, matrix, saturation, contrast, brightness) } };
    }

    // All of it is linear in red, green and blue: one matrix and a constant for the whole picture.
    private static byte[] Jittered(byte[] from, float[] hue, float saturation, float contrast, float brightness)
    {
        Vector128<float> Column(int channel)
        {
            var (red, green, blue) = (hue[channel], hue[3 + channel], hue[6 + channel]);
            var grey = Luma(red, green, blue);
            return brightness * contrast * (Vector128.Create(grey) * (1 - saturation) + saturation * Vector128.Create(red, green, blue, 0));
        }
        var (reds, greens, blues) = (Column(0), Column(1), Column(2));
        var constant = Vector128.Create(brightness * (1 - contrast) * Mean(from));
        var to = new byte[from.Length];
        for (var i = 0; i + 2 < from.Length; i += 3)
            new Rgb(constant + reds * from[i] + greens * from[i + 1] + blues * from[i + 2]).CopyTo(to.AsSpan(i, 3));
        return to;
    }

    private static float Mean(byte[] rgb)
    {
        long red = 0, green = 0, blue = 0;
        for (var i = 0; i + 2 < rgb.Length; i += 3) (red, green, blue) = (red + rgb[i], green + rgb[i + 1], blue + rgb[i + 2]);
        return Luma(red, green, blue) / (rgb.Length / 3);
    }

    private static float Luma(float red, float green, float blue) => 0.299f * red + 0.587f * green + 0.114f * blue;

    /// <summary>YIQ → turn by the angle → RGB, as one row-major 3×3 matrix (the identity at 0).</summary>
    private static float[] Hue(double angle)
    {
        var (c, s) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
        return
        [
            0.299f + 0.701f * c + 0.168f * s, 0.587f * (1 - c) + 0.330f * s, 0.114f * (1 - c) - 0.498f * s,
            0.299f * (1 - c) - 0.328f * s, 0.587f + 0.413f * c + 0.035f * s, 0.114f * (1 - c) + 0.293f * s,
            0.299f * (1 - c) + 1.250f * s, 0.587f * (1 - c) - 1.050f * s, 0.114f + 0.886f * c - 0.200f * s,
        ];
    }
}
