using Microsoft.Extensions.AI;
using SkiaSharp;

namespace PluginHost.Serving.Http.Media;

/// <summary>Refuses pictures that are small as files and huge as pixels, by their headers alone. What it cannot read is left to the decoder.</summary>
internal static class PictureSize
{
    /// <summary>Most pixels of a picture.</summary>
    public const long MostPixels = 40_000_000;

    /// <summary>What is wrong with a picture's size; null: nothing.</summary>
    public static string? Problem(DataContent content)
    {
        if (!content.HasTopLevelMediaType("image")) return null;
        using var data = SKData.CreateCopy(content.Data.Span);
        using var codec = SKCodec.Create(data);
        if (codec is null || (long)codec.Info.Width * codec.Info.Height <= MostPixels) return null;
        return $"the picture has {codec.Info.Width} by {codec.Info.Height} pixels; {MostPixels / 1_000_000} million are the most";
    }
}
