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

    public Clip Draw(MovingScene scene, MediaFormat format, ref Draw draw)
    {
        if (!idle.TryTake(out var renderer)) renderer = new Renderer(size);
        var clip = renderer.Draw(scene, format, ref draw);
        idle.Add(renderer);
        return clip;
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
        canvas.Clear(Paper(ref draw));
        foreach (var thing in scene.Things)
        {
            var cell = size / 2f;
            var radius = cell * draw.Between(0.34f, 0.42f);
            var room = cell / 2 - radius * 1.1f;
            var x = cell * (thing.Cell.Column + 0.5f) + draw.Between(-room, room);
            var y = cell * (thing.Cell.Row + 0.5f) + draw.Between(-room, room);
            Put(thing, x, y, radius, Paint(thing, ref draw));
        }
        return new Picture(size, size, Copy());
    }

    public Clip Draw(MovingScene scene, MediaFormat format, ref Draw draw)
    {
        var (paper, count) = (Paper(ref draw), format.VideoFrames);
        var frames = new byte[count][];
        var show = scene switch
        {
            Drift drift => Drifting(drift, count, ref draw),
            Succession succession => Following(succession, ref draw),
            Blinking blinking => Vanishing(blinking, ref draw),
            _ => throw new NotSupportedException($"No drawing of a {scene.GetType().Name}."),
        };
        for (var frame = 0; frame < count; frame++)
        {
            canvas.Clear(paper);
            show(frame, frame * MovingScene.Phases / count);
            frames[frame] = Copy();
        }
        return new Clip(size, size, frames, Enumerable.Range(0, count).Select(frame => frame / format.VideoRate).ToArray());
    }

    // The square of its places lies anywhere, alike in both directions.
    private Action<int, int> Drifting(Drift drift, int count, ref Draw draw)
    {
        var (colour, radius) = (Paint(drift.Thing, ref draw), size * draw.Between(0.1f, 0.14f));
        var side = size * draw.Between(0.56f, 0.62f);
        var room = size - 2 * radius - side;
        var (left, top, step) = (radius + draw.Between(0, room), radius + draw.Between(0, room), side / (count - 1));
        return (frame, _) =>
        {
            var (column, row) = drift.Place(frame);
            Put(drift.Thing, left + column * step, top + row * step, radius, colour);
        };
    }

    private Action<int, int> Following(Succession scene, ref Draw draw)
    {
        var (first, second) = (Still(scene.First, ref draw), Still(scene.Second, ref draw));
        return (_, phase) =>
        {
            if (phase >= scene.FirstPhase && phase < scene.FirstPhase + Succession.Length) first();
            if (phase >= scene.SecondPhase && phase < scene.SecondPhase + Succession.Length) second();
        };
    }

    private Action<int, int> Vanishing(Blinking scene, ref Draw draw)
    {
        var there = Still(scene.Thing, ref draw);
        return (_, phase) =>
        {
            if (!scene.Hidden[phase]) there();
        };
    }

    private Action Still(Thing thing, ref Draw draw)
    {
        var (cell, colour) = (size / 2f, Paint(thing, ref draw));
        var radius = cell * draw.Between(0.34f, 0.42f);
        var room = cell / 2 - radius * 1.1f;
        var (x, y) = (cell * (thing.Cell.Column + 0.5f) + draw.Between(-room, room), cell * (thing.Cell.Row + 0.5f) + draw.Between(-room, room));
        return () => Put(thing, x, y, radius, colour);
    }

    private void Put(Thing thing, float x, float y, float radius, SKColor colour)
    {
        paint.Color = colour;
        canvas.Save();
        canvas.Translate(x, y);
        canvas.Scale(radius);
        canvas.DrawPath(outlines[thing.Shape], paint);
        canvas.Restore();
    }

    private static SKColor Paper(ref Draw draw)
    {
        var paper = 255 - draw.Below(26);
        return new SKColor(Near(paper, 3, ref draw), Near(paper, 3, ref draw), Near(paper, 3, ref draw));
    }

    private static SKColor Paint(Thing thing, ref Draw draw)
    {
        var colour = Palette.Colours[thing.Colour];
        return new SKColor(Near(colour.Red, 10, ref draw), Near(colour.Green, 10, ref draw), Near(colour.Blue, 10, ref draw));
    }

    private static byte Near(int value, int reach, ref Draw draw) => (byte)Math.Clamp(value + draw.Below(2 * reach + 1) - reach, 0, 255);

    private byte[] Copy()
    {
        var pixels = bitmap.GetPixelSpan(); // four bytes a pixel
        var rgb = new byte[size * size * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            rgb[to] = pixels[from];
            rgb[to + 1] = pixels[from + 1];
            rgb[to + 2] = pixels[from + 2];
        }
        return rgb;
    }

    public void Dispose()
    {
        foreach (var outline in outlines) outline.Dispose();
        paint.Dispose();
        canvas.Dispose();
        bitmap.Dispose();
    }
}
