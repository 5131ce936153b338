using PluginHost.Sdk;
using SkiaSharp;

namespace PluginHost.Planted;

/// <summary>The stamps' real pictures with altered copies planted among them; a copy comes after its original.</summary>
internal sealed class PlantedPictures
{
    private static readonly string[] Changes = ["scaled to 70 %", "JPEG of quality 50", "brighter by 10 %", "darker by 10 %", "cropped by 2 %", "scaled and compressed"];
    private readonly List<Planted> samples = [];

    /// <param name="copies">Copies to plant, each of another picture.</param>
    /// <param name="seed">Decides which pictures.</param>
    /// <param name="folder">Where the copies are written.</param>
    public PlantedPictures(int copies, int seed, string folder)
    {
        var random = new Random(seed);
        var paths = Directory.EnumerateFiles("/usr/share/tuxpaint/stamps", "*.png", SearchOption.AllDirectories).Where(path => File.Exists(Path.ChangeExtension(path, ".txt"))).Order(StringComparer.Ordinal).ToArray();
        random.Shuffle(paths);
        foreach (var path in paths) Add(path, Plant.None, "untouched");
        for (var i = 0; i < copies; i++)
        {
            var copy = Path.Combine(folder, $"{i}.{(i % Changes.Length is 1 or 5 ? "jpg" : "png")}");
            Write(paths[i], copy, i % Changes.Length);
            Add(copy, Plant.Duplicate, Changes[i % Changes.Length]);
        }
    }

    /// <summary>In the order in which a filter is to see them.</summary>
    public IReadOnlyList<Planted> Samples => samples;

    private void Add(string path, Plant plant, string detail) =>
        samples.Add(new Planted(new Sample(path) { Image = new MediaFile(path) }, plant, detail));

    private static void Write(string from, string to, int change)
    {
        using var original = SKBitmap.Decode(from);
        var (width, height) = change is 0 or 5 ? (Math.Max(8, original.Width * 7 / 10), Math.Max(8, original.Height * 7 / 10)) : (original.Width, original.Height);
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White); // as every reader of the stamps flattens them
        var (margin, factor) = (change == 4 ? 0.02f : 0f, change == 2 ? 1.1f : change == 3 ? 0.9f : 1f);
        using var paint = new SKPaint();
        paint.ColorFilter = SKColorFilter.CreateColorMatrix([factor, 0, 0, 0, 0, 0, factor, 0, 0, 0, 0, 0, factor, 0, 0, 0, 0, 0, 1, 0]);
        var source = new SKRect(original.Width * margin, original.Height * margin, original.Width * (1 - margin), original.Height * (1 - margin));
        using var image = SKImage.FromBitmap(original);
        canvas.DrawImage(image, source, new SKRect(0, 0, width, height), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear), paint);
        canvas.Flush();
        using var data = bitmap.Encode(to.EndsWith(".jpg", StringComparison.Ordinal) ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, change is 1 or 5 ? 50 : 100);
        using var file = File.Create(to);
        data.SaveTo(file);
    }
}
