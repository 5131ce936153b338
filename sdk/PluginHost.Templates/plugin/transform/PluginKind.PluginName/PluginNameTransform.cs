// Makes a picture darker or brighter: every value times one factor, drawn evenly from 1 - strength to 1 + strength.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Settings of <see cref="PluginNameTransform"/>.</summary>
/// <param name="Strength">Largest change, as a part of the value.</param>
public sealed record PluginNameOptions(
    [property: Range(0.01, 1.0), Description("Largest change, as a part of the value.")] double Strength = 0.3);

/// <summary>Brightness.</summary>
[Plugin("plugin-kind.plugin-name", "Makes pictures darker or brighter.")]
public sealed class PluginNameTransform(PluginNameOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Image is not Picture picture) return sample;
        var factor = 1 + options.Strength * (2 * random.NextDouble() - 1);
        return sample with { Image = picture with { Rgb = [.. picture.Rgb.Select(value => (byte)Math.Clamp(value * factor, 0, 255))] } };
    }
}
