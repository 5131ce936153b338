using Media.Image;
using PluginHost.Sdk;
using SkiaSharp;

namespace Plugins.Data.Tests;

public sealed class ImageTests : IDisposable
{
    private static readonly MediaFormat Small = new(16, 4000, 1);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static byte[] Encode(int width, int height, SKEncodedImageFormat format, Func<int, int, SKColor> colour)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, colour(x, y));
        using var data = bitmap.Encode(format, 95);
        return data.ToArray();
    }

    private static Picture Decode(string path, int size = 16) => (Picture)new ImageMedia().Decode(path, "image", Small with { ImageSize = size }, default);

    private static (int, int, int) Pixel(Picture picture, int x, int y)
    {
        var at = 3 * (y * picture.Width + x);
        return (picture.Rgb[at], picture.Rgb[at + 1], picture.Rgb[at + 2]);
    }

    private BadSampleException Refused(string name, byte[] content) => Assert.Throws<BadSampleException>(() => Decode(folder.Write(name, content)));

    [Theory]
    [InlineData(SKEncodedImageFormat.Png, "a.png")]
    [InlineData(SKEncodedImageFormat.Jpeg, "a.jpg")]
    [InlineData(SKEncodedImageFormat.Webp, "a.webp")]
    public void Picture_OfEachFormat_KeepsItsColourAndSize(SKEncodedImageFormat format, string name)
    {
        var picture = Decode(folder.Write(name, Encode(64, 64, format, (_, _) => new SKColor(200, 40, 60))));
        Assert.Equal((16, 16), (picture.Width, picture.Height));
        var (red, green, blue) = Pixel(picture, 8, 8);
        Assert.InRange(red, 194, 206);
        Assert.InRange(green, 34, 46);
        Assert.InRange(blue, 54, 66);
    }

    [Fact]
    public void Picture_OfTheWantedSize_KeepsEveryPixel()
    {
        static SKColor Colour(int x, int y) => new((byte)(37 * x * y), (byte)(90 * x), (byte)(50 * y + x));
        var picture = Decode(folder.Write("a.png", Encode(16, 16, SKEncodedImageFormat.Png, Colour)));
        for (var i = 0; i < 256; i++)
            Assert.Equal((Colour(i % 16, i / 16).Red, Colour(i % 16, i / 16).Green, Colour(i % 16, i / 16).Blue), Pixel(picture, i % 16, i / 16));
    }

    [Fact]
    public void Alpha_OverGarbage_BecomesWhite()
    {
        var picture = Decode(folder.Write("a.png", Encode(16, 16, SKEncodedImageFormat.Png, (x, _) => new SKColor(255, 0, 255, (byte)(x < 8 ? 0 : 255)))));
        Assert.Equal((255, 255, 255), Pixel(picture, 2, 8));
        Assert.Equal((255, 0, 255), Pixel(picture, 13, 8));
    }

    [Fact]
    public void WidePicture_KeepsItsAspect_BetweenWhiteBars()
    {
        var picture = Decode(folder.Write("a.png", Encode(64, 32, SKEncodedImageFormat.Png, (_, _) => SKColors.Black)));
        Assert.Equal((255, 255, 255), Pixel(picture, 8, 1));
        Assert.Equal((0, 0, 0), Pixel(picture, 8, 8));
        Assert.Equal((255, 255, 255), Pixel(picture, 8, 14));
    }

    [Fact]
    public void TwoPixels_AreEnough() => Assert.Equal(16, Decode(folder.Write("a.png", Encode(2, 2, SKEncodedImageFormat.Png, (_, _) => SKColors.Red))).Width);

    [Fact]
    public void OnePixel_IsRefused() =>
        Assert.Contains("1x1 pixels show nothing", Refused("a.png", Encode(1, 1, SKEncodedImageFormat.Png, (_, _) => SKColors.Red)).Message);

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void TruncatedPicture_IsRefused(SKEncodedImageFormat format)
    {
        var random = new Random(1);
        var whole = Encode(64, 64, format, (_, _) => new SKColor((uint)random.Next() | 0xff000000));
        foreach (var part in (double[])[0.02, 0.3, 0.8])
            Assert.Contains("a.png", Refused("a.png", whole[..(int)(whole.Length * part)]).Message);
    }

    [Fact]
    public void EmptyFile_IsRefused() => Assert.Contains("the file is empty", Refused("a.png", []).Message);

    [Fact]
    public void Garbage_IsRefused() => Assert.Contains("neither PNG, JPEG nor WebP", Refused("a.png", [.. Enumerable.Range(0, 999).Select(i => (byte)(i * 31))]).Message);

    [Fact]
    public void MissingFile_IsRefused() => Assert.Contains("cannot be read", Assert.Throws<BadSampleException>(() => Decode(Path.Combine(folder.Path, "no.png"))).Message);

    [Fact]
    public void HugeClaim_IsRefusedBeforeItIsBelieved()
    {
        var bytes = Encode(16, 16, SKEncodedImageFormat.Png, (_, _) => SKColors.Red);
        (bytes[16], bytes[17], bytes[20], bytes[21]) = (0, 0xff, 0, 0xff); // width and height of the header, whose checksum is now wrong too
        Refused("a.png", bytes);
    }

    [Fact]
    public void Sound_OfAPicture_IsRefused()
    {
        var path = folder.Write("a.png", Encode(16, 16, SKEncodedImageFormat.Png, (_, _) => SKColors.Red));
        Assert.Throws<BadSampleException>(() => new ImageMedia().Decode(path, "audio", Small, default));
    }

    [SkippableFact]
    public void Jpeg_ByTurboJpeg_IsThePictureThatSkiaGives()
    {
        Skip.IfNot(TurboJpeg.IsInstalled, "needs libturbojpeg: apt-get install libturbojpeg0");
        var jpeg = Encode(200, 120, SKEncodedImageFormat.Jpeg, (x, y) => new SKColor((byte)x, (byte)(2 * y), (byte)(x + y)));
        using var expected = SKBitmap.Decode(jpeg);
        using var decoded = new SKBitmap(new SKImageInfo(200, 120, SKColorType.Rgba8888));
        Assert.True(TurboJpeg.TryDecode(jpeg, 200, 120, decoded.GetPixels()));
        double difference = 0;
        for (var y = 0; y < 120; y++)
            for (var x = 0; x < 200; x++) difference += Math.Abs(expected.GetPixel(x, y).Red - decoded.GetPixel(x, y).Red) + Math.Abs(expected.GetPixel(x, y).Blue - decoded.GetPixel(x, y).Blue);
        Assert.InRange(difference / (2 * 200 * 120), 0, 1.5);
        Assert.False(TurboJpeg.TryDecode(jpeg[..(jpeg.Length / 2)], 200, 120, decoded.GetPixels()));
    }

    [Theory]
    [InlineData(512, 224)]
    [InlineData(511, 64)]
    [InlineData(1000, 32)]
    public void Jpeg_LargerThanWanted_IsReducedWithoutLosingItsColours(int from, int to)
    {
        // Left half red, right half blue: the border stays in the middle.
        var picture = Decode(folder.Write("a.jpg", Encode(from, from, SKEncodedImageFormat.Jpeg, (x, _) => x < from / 2 ? SKColors.Red : SKColors.Blue)), to);
        Assert.Equal(3 * to * to, picture.Rgb.Length);
        var row = picture.Rgb.AsSpan(3 * to * (to / 2), 3 * to);
        Assert.InRange(row[3 * (to / 2 - 3)], 200, 255);
        Assert.InRange(row[3 * (to / 2 + 3) + 2], 200, 255);
    }
}
