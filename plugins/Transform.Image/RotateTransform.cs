// Turns a picture about its middle by an angle drawn evenly from -degrees to +degrees; the corners that come in are white.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Settings of <c>transform.rotate</c>.</summary>
/// <param name="Degrees">Largest angle, in degrees; beyond 45 what is left would come to lie above.</param>
public sealed record RotateOptions(
    [property: Range(0.1, 45.0), Description("Largest angle, in degrees, to either side; beyond 45 what is left would come to lie above.")] double Degrees = 15);

/// <summary>Rotation.</summary>
[Plugin("transform.rotate", "Turns pictures about their middle by a random angle.")]
public sealed class RotateTransform(RotateOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Image is not Picture picture) return sample;
        var angle = (2 * random.NextDouble() - 1) * options.Degrees * Math.PI / 180;
        var (sin, cos) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
        var (x, y) = (picture.Width / 2f, picture.Height / 2f);
        return sample with { Image = new Affine(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y).Apply(picture, white: true) };
    }
}
