using SkiaSharp;

namespace Source.Scenes;

/// <summary>The shapes around the origin, within a radius of about 1, in the order of <see cref="Palette.Shapes"/>.</summary>
internal static class Outlines
{
    public static SKPath[] All() =>
    [
        Curve(path => path.AddCircle(0, 0, 0.95f)),
        Curve(path => path.AddRect(new SKRect(-0.85f, -0.85f, 0.85f, 0.85f))),
        Polygon((0, -1), (1, 0.85f), (-1, 0.85f)),
        Star(),
        Polygon((-0.3f, -1), (0.3f, -1), (0.3f, -0.3f), (1, -0.3f), (1, 0.3f), (0.3f, 0.3f), (0.3f, 1), (-0.3f, 1), (-0.3f, 0.3f), (-1, 0.3f), (-1, -0.3f), (-0.3f, -0.3f)),
        Ring(),
        Polygon((0, -1.1f), (0.72f, 0), (0, 1.1f), (-0.72f, 0)),
        Heart(),
    ];

    private static SKPath Curve(Action<SKPathBuilder> add)
    {
        using var path = new SKPathBuilder();
        add(path);
        return path.Detach();
    }

    private static SKPath Polygon(params (float X, float Y)[] corners) =>
        Curve(path => path.AddPoly(Array.ConvertAll(corners, corner => new SKPoint(corner.X, corner.Y)), close: true));

    private static SKPath Star()
    {
        var corners = new (float, float)[10];
        for (var i = 0; i < corners.Length; i++)
        {
            var radius = i % 2 == 0 ? 1.12f : 0.44f;
            var angle = MathF.PI * (i / 5f - 0.5f);
            corners[i] = (radius * MathF.Cos(angle), radius * MathF.Sin(angle));
        }
        return Polygon(corners);
    }

    private static SKPath Ring() => Curve(path =>
    {
        path.FillType = SKPathFillType.EvenOdd;
        path.AddCircle(0, 0, 1);
        path.AddCircle(0, 0, 0.52f);
    });

    private static SKPath Heart() => Curve(path =>
    {
        path.MoveTo(0, 1);
        path.CubicTo(-1.5f, 0, -1, -1.1f, -0.45f, -0.95f);
        path.CubicTo(-0.2f, -0.9f, 0, -0.6f, 0, -0.45f);
        path.CubicTo(0, -0.6f, 0.2f, -0.9f, 0.45f, -0.95f);
        path.CubicTo(1, -1.1f, 1.5f, 0, 0, 1);
        path.Close();
    });
}
