namespace Source.Scenes;

/// <summary>Captions that name every thing and how the things stand to each other.</summary>
internal static class Captions
{
    public static string English(Scene scene)
    {
        var things = Ordered(scene);
        string Name(int i) => "a " + Palette.Name(things[i]);
        return (things.Count switch
        {
            1 => $"{Name(0)} at the {Place(things[0].Cell)}",
            2 => $"{Name(0)} {Direction(things[0].Cell, things[1].Cell)} {Name(1)}",
            _ => $"{Name(0)} {Direction(things[0].Cell, things[1].Cell)} {Name(1)} and {Direction(things[0].Cell, things[2].Cell)} {Name(2)}",
        }).Replace("a orange", "an orange");
    }

    public static string Chinese(Scene scene)
    {
        var things = Ordered(scene);
        string Name(int i) => $"{Palette.Colours[things[i].Colour].Chinese}的{Palette.Shapes[things[i].Shape].Chinese}";
        return things.Count switch
        {
            1 => $"{Name(0)}在{ChinesePlace(things[0].Cell)}角",
            2 => $"{Name(0)}在{Name(1)}的{ChineseDirection(things[0].Cell, things[1].Cell)}",
            _ => $"{Name(0)}在{Name(1)}的{ChineseDirection(things[0].Cell, things[1].Cell)}，{Name(2)}的{ChineseDirection(things[0].Cell, things[2].Cell)}",
        };
    }

    public static string Place(Cell cell) => (cell.Row == 0 ? "top " : "bottom ") + (cell.Column == 0 ? "left" : "right");

    /// <summary>Three things form an L: the caption starts at its corner and goes along the row first. Others keep their order.</summary>
    private static IReadOnlyList<Thing> Ordered(Scene scene)
    {
        if (scene.Things.Count < 3) return scene.Things;
        Thing? Beside(Thing a) => scene.Things.FirstOrDefault(b => b != a && b.Cell.Row == a.Cell.Row);
        Thing? Along(Thing a) => scene.Things.FirstOrDefault(b => b != a && b.Cell.Column == a.Cell.Column);
        var corner = scene.Things.First(thing => Beside(thing) is not null && Along(thing) is not null);
        return [corner, Beside(corner)!, Along(corner)!];
    }

    private static string Direction(Cell from, Cell to) => (Math.Sign(from.Column - to.Column), Math.Sign(from.Row - to.Row)) switch
    {
        (-1, 0) => "left of",
        (1, 0) => "right of",
        (0, -1) => "above",
        (0, _) => "below",
        (-1, -1) => "above and left of",
        (-1, _) => "below and left of",
        (_, -1) => "above and right of",
        _ => "below and right of",
    };

    public static string ChinesePlace(Cell cell) => (cell.Column == 0 ? "左" : "右") + (cell.Row == 0 ? "上" : "下");

    private static string ChineseDirection(Cell from, Cell to) => (Math.Sign(from.Column - to.Column), Math.Sign(from.Row - to.Row)) switch
    {
        (-1, 0) => "左边",
        (1, 0) => "右边",
        (0, -1) => "上面",
        (0, _) => "下面",
        _ => ChinesePlace(new Cell(from.Column, from.Row)) + "方",
    };
}
