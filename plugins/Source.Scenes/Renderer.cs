using System.Collections.Concurrent;
using PluginHost.Sdk;
using SkiaSharp;

namespace Source.Scenes;

/// <summary>Renderers to be used again: a scene costs its drawing, not the making of a canvas. Safe for concurrent use.</summary>
internal sealed class RendererPool(int size) : IDisposable
{
    private readonly ConcurrentBag<Renderer> idle = [];

    public Picture Draw(Scene scene, ref Draw draw)
    {
        if (!idle.TryTake(out var renderer)) renderer = new Renderer(size);
        var picture = renderer.Draw(scene, ref draw);
        idle.Add(renderer);
        return picture;
    }

    public void Dispose()
    {
        while (idle.TryTake(out var renderer)) renderer.Dispose();
    }
}

/// <summary>Draws scenes with antialiasing on one canvas of its own. For one thread at a time.</summary>
internal sealed class Renderer : IDisposable
{
    private readonly int size;
    private readonly SKBitmap bitmap;
    private readonly SKCanvas canvas;
    private readonly SKPaint paint = new() { IsAntialias = true, Style = SKPaintStyle.Fill };
    private readonly SKPath[] outlines = Outlines.All();

    public Renderer(int size)
    {
        this.size = size;
        bitmap = new SKBitmap(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        canvas = new SKCanvas(bitmap);
    }

    public Picture Draw(Scene scene, ref Draw draw)
    {
        var paper = 255 - draw.Below(26);
        canvas.Clear(new SKColor(Near(paper, 3, ref draw), Near(paper, 3, ref draw), Near(paper, 3, ref draw)));
        foreach (var thing in scene.Things)
        {
            var cell = size / 2f;
            var radius = cell * draw.Between(0.34f, 0.42f);
            var room = cell / 2 - radius * 1.1f;
            var x = cell * (thing.Cell.Column + 0.5f) + draw.Between(-room, room);
            var y = cell * (thing.Cell.Row + 0.5f) + draw.Between(-room, room);
            var colour = Palette.Colours[thing.Colour];
            paint.Color = new SKColor(Near(colour.Red, 10, ref draw), Near(colour.Green, 10, ref draw), Near(colour.Blue, 10, ref draw));
            canvas.Save();
            canvas.Translate(x, y);
            canvas.Scale(radius);
            canvas.DrawPath(outlines[thing.Shape], paint);
            canvas.Restore();
        }
        return Copy();
    }

    private static byte Near(int value, int reach, ref Draw draw) => (byte)Math.Clamp(value + draw.Below(2 * reach + 1) - reach, 0, 255);

    private Picture Copy()
    {
        var pixels = bitmap.GetPixelSpan(); // four bytes a pixel
        var rgb = new byte[size * size * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            rgb[to] = pixels[from];
            rgb[to + 1] = pixels[from + 1];
            rgb[to + 2] = pixels[from + 2];
        }
        return new Picture(size, size, rgb);
    }

    public void Dispose()
    {
        foreach (var outline in outlines) outline.Dispose();
        paint.Dispose();
        canvas.Dispose();
        bitmap.Dispose();
    }
}
