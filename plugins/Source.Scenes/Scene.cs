namespace Source.Scenes;

/// <summary>A quarter of the picture. Two objects are compared only when they share a row or a column.</summary>
internal readonly record struct Cell(int Column, int Row);

/// <summary>A coloured shape in its cell.</summary>
internal sealed record Thing(int Colour, int Shape, Cell Cell);

/// <summary>One to three things; their colours differ, and so do their shapes, so that either names a thing.</summary>
/// <param name="Things">In random order; in a compositional scene the first is the pair held out of training.</param>
/// <param name="Compositional">Whether the scene tests pairs that training never shows.</param>
internal sealed record Scene(IReadOnlyList<Thing> Things, bool Compositional)
{
    public static Scene Make(ref Draw draw, bool compositional)
    {
        var things = new List<Thing>();
        var count = 1 + draw.Below(3);
        while (things.Count < count)
        {
            var thing = new Thing(draw.Below(Palette.Colours.Count), draw.Below(Palette.Shapes.Count), new Cell(draw.Below(2), draw.Below(2)));
            // In a compositional scene only the first thing is a held-out pair: one unknown at a time.
            if (Palette.HeldOut(thing.Colour, thing.Shape) != (compositional && things.Count == 0)) continue;
            if (things.Any(other => other.Colour == thing.Colour || other.Shape == thing.Shape || other.Cell == thing.Cell)) continue;
            things.Add(thing);
        }
        return new Scene(things, compositional);
    }

    /// <summary>Ordered pairs of things in one row or one column: a diagonal has no single right answer.</summary>
    public IEnumerable<(Thing First, Thing Second)> Pairs() =>
        from first in Things
        from second in Things
        where first != second && (first.Cell.Row == second.Cell.Row || first.Cell.Column == second.Cell.Column)
        select (first, second);

    /// <summary>On which side of the second the first one is.</summary>
    public static string Side(Thing first, Thing second) => first.Cell.Row == second.Cell.Row
        ? first.Cell.Column < second.Cell.Column ? "left" : "right"
        : first.Cell.Row < second.Cell.Row ? "above" : "below";
}

/// <summary>Colours and shapes, and the pairs of them that training never shows.</summary>
internal static class Palette
{
    public static IReadOnlyList<(string English, string Chinese, byte Red, byte Green, byte Blue)> Colours { get; } =
    [
        ("red", "红色", 220, 30, 30), ("blue", "蓝色", 40, 70, 225), ("green", "绿色", 30, 150, 45), ("yellow", "黄色", 240, 215, 20),
        ("orange", "橙色", 250, 130, 10), ("purple", "紫色", 125, 35, 170), ("pink", "粉色", 250, 135, 195), ("brown", "棕色", 120, 70, 30),
        ("black", "黑色", 20, 20, 20), ("cyan", "青色", 40, 205, 220),
    ];

    public static IReadOnlyList<(string English, string Chinese)> Shapes { get; } =
    [
        ("circle", "圆形"), ("square", "方形"), ("triangle", "三角形"), ("star", "星形"),
        ("cross", "十字"), ("ring", "圆环"), ("diamond", "菱形"), ("heart", "心形"),
    ];

    /// <summary>
    /// Whether training never shows this pair: one shape for each colour, spread over all shapes, so that every colour is seen
    /// with seven shapes and every shape with at least eight colours. An eighth of the pairs.
    /// </summary>
    public static bool HeldOut(int colour, int shape) => colour * 3 % Shapes.Count == shape;

    public static string Name(Thing thing) => $"{Colours[thing.Colour].English} {Shapes[thing.Shape].English}";
}
