// Is a picture fit to be seen? The MobileNetV2 that the npm package nsfwjs publishes (MIT), read in place and run by libtorch: five
// probabilities that sum to 1, of which each may have a bound. Pixels are fed as nsfwjs feeds them: divided by 255, 224 x 224.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Filter.SafetyImage;

/// <summary>Settings of <see cref="SafetyImageFilter"/>: a bound of 1 lets a class pass always.</summary>
/// <param name="Model">Folder of the published model: model.min.js and its weights.</param>
/// <param name="Porn">Largest probability of sexual acts and genitals that is kept.</param>
/// <param name="Hentai">Largest probability of pornographic drawings that is kept.</param>
/// <param name="Sexy">Largest probability of suggestive pictures that is kept.</param>
/// <param name="Drawing">Largest probability of harmless drawings that is kept.</param>
/// <param name="Neutral">Largest probability of harmless pictures that is kept.</param>
public sealed record SafetyImageOptions(
    [property: Description("Folder of the published model: model.min.js and its weights.")] string Model = "node_modules/nsfwjs/dist/models/mobilenet_v2",
    [property: Range(0.01, 1.0), Description("Largest probability of sexual acts and genitals that is kept; 1: any.")] double Porn = 0.6,
    [property: Range(0.01, 1.0), Description("Largest probability of pornographic drawings that is kept; 1: any.")] double Hentai = 0.6,
    [property: Range(0.01, 1.0), Description("Largest probability of suggestive pictures that is kept; 1: any.")] double Sexy = 0.9,
    [property: Range(0.01, 1.0), Description("Largest probability of harmless drawings that is kept; 1: any.")] double Drawing = 1,
    [property: Range(0.01, 1.0), Description("Largest probability of harmless pictures that is kept; 1: any.")] double Neutral = 1);

/// <summary>Safety of pictures.</summary>
[Plugin("filter.safety-image", "Drops samples with a picture that a published network takes for pornographic or suggestive.")]
public sealed class SafetyImageFilter(SafetyImageOptions options) : IFilterPlugin
{
    /// <inheritdoc/>
    public IFilter Open(FilterContext context)
    {
        var folder = Path.GetFullPath(options.Model, Path.GetFullPath(context.Folder));
        return new UnsafePictures(options, new MobileNetV2(PublishedModel.Read(folder), context.Build.Device), context);
    }
}
