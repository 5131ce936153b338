using System.Diagnostics;
using System.Globalization;
using Media.Image;
using PluginHost.Sdk;
using SkiaSharp;
using Transform.Image;

namespace PluginHost.Campaign;

/// <summary>Times the way of a photograph of 512 pixels to an augmented picture of 224, on one thread by its processor time.</summary>
internal static class DecodeSpeed
{
    private const int From = 512;
    private const int To = 224;

    public static void Run(int seconds)
    {
        var file = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():n}.jpg");
        File.WriteAllBytes(file, Photograph());
        try
        {
            var (decoder, format) = (new ImageMedia(), new MediaFormat(To, 8000, 1));
            ITransform[] transforms = [new FlipTransform(new FlipOptions()), new CropTransform(new CropOptions()), new ColourTransform(new ColourOptions())];
            var random = new Random(1);
            var sample = new Sample("photograph") { Image = decoder.Decode(file, "image", format, default), Texts = new Dictionary<string, string> { ["en"] = "a photograph" } };
            Console.WriteLine($"a JPEG of {From} pixels, {new FileInfo(file).Length:N0} bytes, to {To} pixels; images a second of processor time:");
            Time("decoded and resized", seconds, () => decoder.Decode(file, "image", format, default));
            foreach (var transform in transforms) Time(transform.GetType().Name, seconds, () => transform.Apply(sample, random));
            Time("decoded, resized, flipped, cropped, colours changed", seconds, () =>
            {
                var read = sample with { Image = decoder.Decode(file, "image", format, default) };
                foreach (var transform in transforms) read = transform.Apply(read, random);
            });
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Time(string what, int seconds, Action work)
    {
        for (var i = 0; i < 50; i++) work();
        using var process = Process.GetCurrentProcess();
        var (before, clock, count) = (process.TotalProcessorTime, Stopwatch.StartNew(), 0);
        for (; clock.Elapsed.TotalSeconds < seconds; count++) work();
        process.Refresh();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count / (process.TotalProcessorTime - before).TotalSeconds,8:0} {what}"));
    }

    /// <summary>Coarse and fine shapes and some grain, about as hard to code as a photograph.</summary>
    private static byte[] Photograph()
    {
        using var bitmap = new SKBitmap(From, From);
        var random = new Random(1);
        for (var y = 0; y < From; y++)
            for (var x = 0; x < From; x++)
            {
                byte Value(int channel) => (byte)Math.Clamp(
                    128 + 60 * Math.Sin((x + 40 * channel) / 70.0) * Math.Cos(y / 90.0) + 30 * Math.Sin((x * y + 900 * channel) / 4000.0) + 15 * Math.Sin(x / 3.0 + y / 2.0) + random.Next(-8, 9), 0, 255);
                bitmap.SetPixel(x, y, new SKColor(Value(0), Value(1), Value(2)));
            }
        return bitmap.Encode(SKEncodedImageFormat.Jpeg, 90).ToArray();
    }
}
