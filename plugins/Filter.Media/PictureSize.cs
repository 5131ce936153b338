using PluginHost.Sdk;
using SkiaSharp;

namespace Filter.Media;

/// <summary>Width and height of a picture as it is stored, turned upright; from its header alone.</summary>
internal static class PictureSize
{
    /// <summary>Null when the format is none whose header is read here (a drawing, a video).</summary>
    /// <exception cref="BadSampleException">The file cannot be read.</exception>
    public static (int Width, int Height)? Of(MediaContent content)
    {
        switch (content)
        {
            case Picture picture: return (picture.Width, picture.Height);
            case MediaPart part: return Header(new MemoryStream(part.Read(), writable: false));
            case MediaFile file:
                try
                {
                    return Header(File.OpenRead(file.Path));
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    throw new BadSampleException($"{file.Path}: cannot be read: {error.Message}");
                }
            default: return null;
        }
    }

    private static (int, int)? Header(Stream stream)
    {
        using (stream)
        {
            using var codec = SKCodec.Create(stream);
            if (codec is null) return null;
            // From LeftTop on, the picture lies on its side.
            return codec.EncodedOrigin >= SKEncodedOrigin.LeftTop ? (codec.Info.Height, codec.Info.Width) : (codec.Info.Width, codec.Info.Height);
        }
    }
}

/// <summary>How bright a picture is.</summary>
internal static class Brightness
{
    /// <summary>Mean luma (Rec. 709 weights) in 0..1, without the white padding beside and above a picture that was fitted into a square.</summary>
    /// <param name="picture">The decoded picture.</param>
    /// <param name="stored">Its dimensions before it was fitted; null: it has no padding, or nobody knows.</param>
    public static double Mean(Picture picture, (int Width, int Height)? stored)
    {
        var (left, top) = (0, 0);
        if (stored is var (width, height))
        {
            var scale = (double)picture.Width / Math.Max(width, height);
            left = Math.Min((picture.Width - 1) / 2, (int)Math.Ceiling((picture.Width - width * scale) / 2));
            top = Math.Min((picture.Height - 1) / 2, (int)Math.Ceiling((picture.Height - height * scale) / 2));
        }
        double sum = 0;
        for (var y = top; y < picture.Height - top; y++)
            for (var x = left; x < picture.Width - left; x++)
            {
                var rgb = picture.Rgb.AsSpan(3 * (y * picture.Width + x), 3);
                sum += 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
            }
        return sum / 255 / ((picture.Height - 2 * top) * (picture.Width - 2 * left));
    }
}
