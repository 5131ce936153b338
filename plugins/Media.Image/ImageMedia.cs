// PNG, JPEG and WebP by Skia: decoded near the wanted size, turned upright, flattened onto white, fitted into the square.
using PluginHost.Sdk;
using SkiaSharp;

namespace Media.Image;

/// <summary>Decodes pictures.</summary>
[Plugin("media.image", "PNG, JPEG and WebP pictures, with alpha flattened onto white.")]
[Accepts(".png", ".jpg", ".jpeg", ".webp")]
public sealed class ImageMedia : IMediaDecoder
{
    private const int SmallestSide = 2;           // a single pixel shows nothing
    private const long LargestArea = 100_000_000; // a small file can claim any size

    /// <inheritdoc/>
    public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
    {
        if (modality != "image") throw new BadSampleException($"{path}: a picture has no {modality}");
        var file = Read(path);
        using var stream = new MemoryStream(file, writable: false);
        using var codec = SKCodec.Create(stream) ?? throw new BadSampleException($"{path}: neither PNG, JPEG nor WebP, or damaged in its header");
        Check(path, codec.Info);
        cancellation.ThrowIfCancellationRequested();
        using var bitmap = Pixels(path, file, codec, format.ImageSize);
        return Fit(bitmap, codec.EncodedOrigin, format.ImageSize, reduced: bitmap.Width < codec.Info.Width);
    }

    private static byte[] Read(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            return bytes.Length > 0 ? bytes : throw new BadSampleException($"{path}: the file is empty");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{path}: cannot be read: {error.Message}");
        }
    }

    private static void Check(string path, SKImageInfo info)
    {
        if (info.Width < SmallestSide || info.Height < SmallestSide)
            throw new BadSampleException($"{path}: {info.Width}x{info.Height} pixels show nothing; at least {SmallestSide}x{SmallestSide} are needed");
        if ((long)info.Width * info.Height > LargestArea)
            throw new BadSampleException($"{path}: {info.Width}x{info.Height} pixels are more than the {LargestArea:N0} allowed");
    }

    private static SKBitmap Pixels(string path, byte[] file, SKCodec codec, int size)
    {
        // JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the time (at other eighths for more than the whole), filtered as it should be.
        var part = 1f;
        while (part > 1 / 8f && Math.Max(codec.Info.Width, codec.Info.Height) * part / 2 >= size) part /= 2;
        var scaled = codec.GetScaledDimensions(part);
        var bitmap = new SKBitmap(new SKImageInfo(scaled.Width, scaled.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        if (codec.EncodedFormat == SKEncodedImageFormat.Jpeg && TurboJpeg.TryDecode(file, scaled.Width, scaled.Height, bitmap.GetPixels())) return bitmap;
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        if (result == SKCodecResult.Success) return bitmap;
        bitmap.Dispose();
        throw new BadSampleException(result == SKCodecResult.IncompleteInput ? $"{path}: the file is truncated" : $"{path}: cannot be decoded ({result})");
    }

    private static Picture Fit(SKBitmap bitmap, SKEncodedOrigin origin, int size, bool reduced)
    {
        using var target = new SKBitmap(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(target);
        bitmap.SetImmutable(); // or it would be copied
        using var image = SKImage.FromBitmap(bitmap);
        canvas.Clear(SKColors.White);
        Upright(canvas, origin, size);
        var scale = size / (float)Math.Max(bitmap.Width, bitmap.Height);
        var (width, height) = (Math.Max(1, bitmap.Width * scale), Math.Max(1, bitmap.Height * scale));
        var place = SKRect.Create((size - width) / 2, (size - height) / 2, width, height);
        var sampling = scale == 1 ? SKSamplingOptions.Default  // the pixels themselves: a cubic would blur them
            : scale > 1 ? new SKSamplingOptions(SKCubicResampler.Mitchell)
            // What is more than half of a picture that was reduced already has nothing finer to filter away.
            : new SKSamplingOptions(SKFilterMode.Linear, reduced && scale > 0.5f ? SKMipmapMode.None : SKMipmapMode.Linear);
        canvas.DrawImage(image, place, sampling, null);
        var pixels = target.GetPixelSpan(); // four bytes a pixel
        var rgb = new byte[size * size * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3) (rgb[to], rgb[to + 1], rgb[to + 2]) = (pixels[from], pixels[from + 1], pixels[from + 2]);
        return new Picture(size, size, rgb);
    }

    /// <summary>Cameras store how they were held; in a square that is a turn or a flip about its middle.</summary>
    private static void Upright(SKCanvas canvas, SKEncodedOrigin origin, int size)
    {
        var (degrees, mirrored) = origin switch
        {
            SKEncodedOrigin.TopRight => (0, true),
            SKEncodedOrigin.BottomRight => (180, false),
            SKEncodedOrigin.BottomLeft => (180, true),
            SKEncodedOrigin.LeftTop => (270, true),
            SKEncodedOrigin.RightTop => (90, false),
            SKEncodedOrigin.RightBottom => (90, true),
            SKEncodedOrigin.LeftBottom => (270, false),
            _ => (0, false),
        };
        canvas.RotateDegrees(degrees, size / 2f, size / 2f);
        if (mirrored) canvas.Scale(-1, 1, size / 2f, size / 2f);
    }
}
