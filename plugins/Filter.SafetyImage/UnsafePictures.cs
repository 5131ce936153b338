using System.Globalization;
using PluginHost.Sdk;

namespace Filter.SafetyImage;

/// <summary>Holds every picture against the bounds. Score: the probability of the class that lies worst against its own.</summary>
internal sealed class UnsafePictures(SafetyImageOptions options, MobileNetV2 network, FilterContext context) : IFilter
{
    private readonly (string Class, double Bound)[] bounds = // in the network's order
        [("drawing", options.Drawing), ("hentai", options.Hentai), ("neutral", options.Neutral), ("porn", options.Porn), ("sexy", options.Sexy)];

    public FilterDecision Decide(Sample sample)
    {
        if ((sample.Image ?? sample.Video) is not { } image) return new FilterDecision(true, double.NaN, 1, "no picture");
        // Rates and seconds are of no account here.
        if (context.Decode(image, "image", new MediaFormat(MobileNetV2.Side, 8000, 1)) is not Picture picture) throw new BadSampleException("the picture was decoded to something else");
        if (picture.Width < 1 || picture.Height < 1 || picture.Rgb.Length != 3 * picture.Width * picture.Height) throw new BadSampleException($"the picture of {picture.Width}x{picture.Height} has {picture.Rgb.Length} bytes");
        var found = bounds.Zip(network.Probabilities(picture), (bound, probability) => (bound.Class, bound.Bound, Probability: (double)probability)).ToArray();
        var worst = found.Where(item => item.Bound < 1).DefaultIfEmpty(found.MaxBy(item => item.Probability)).MaxBy(item => item.Probability - item.Bound);
        var all = string.Join(", ", found.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Class} {item.Probability:0.00}")));
        return worst.Probability > worst.Bound
            ? new FilterDecision(false, worst.Probability, worst.Bound, $"picture is {worst.Class}: {all}")
            : new FilterDecision(true, worst.Probability, worst.Bound, $"kept: {all}");
    }

    public void Dispose() => network.Dispose();
}
