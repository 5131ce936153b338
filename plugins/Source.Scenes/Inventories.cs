using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>
/// Lists of all that a scene holds, found by place, by thing, by shape and by pair: many bindings in one answer. A model that has learnt to
/// write them has learnt to look things up in a picture, which single questions teach only slowly.
/// </summary>
internal static class Inventories
{
    internal static readonly Cell[] Cells = [new(0, 0), new(1, 0), new(0, 1), new(1, 1)];

    public static IEnumerable<Turn> Of(Scene scene, ref Draw draw)
    {
        List<Turn> turns =
        [
            new("inventory.place", "what is where?", string.Join(", ", Cells.Select(cell => $"{Captions.Place(cell)} {At(scene, cell)}")), "image"),
            new("inventory.shape", "which colour has each shape?", string.Join(", ", Shuffled(scene.Things, ref draw).Select(thing => $"{Palette.Shapes[thing.Shape].English} {Palette.Colours[thing.Colour].English}")), "image"),
            new("inventory.where", "where is each object?", string.Join(", ", Shuffled(scene.Things, ref draw).Select(thing => $"{Palette.Name(thing)} {Captions.Place(thing.Cell)}")), "image"),
        ];
        var pairs = Shuffled(scene.Pairs().ToList(), ref draw).Take(3).Select(pair => $"{Palette.Name(pair.First)} {Palette.Name(pair.Second)} {Scene.Side(pair.First, pair.Second)}").ToList();
        if (pairs.Count > 0) turns.Add(new Turn("inventory.pair", "how do the objects stand to each other?", string.Join(", ", pairs), "image"));
        return turns;
    }

    private static string At(Scene scene, Cell cell) => scene.Things.FirstOrDefault(thing => thing.Cell == cell) is { } thing ? Palette.Name(thing) : "nothing";

    private static List<T> Shuffled<T>(IReadOnlyList<T> items, ref Draw draw)
    {
        var list = items.ToList();
        for (var i = list.Count - 1; i > 0; i--)
        {
            var other = draw.Below(i + 1);
            (list[i], list[other]) = (list[other], list[i]);
        }
        return list;
    }
}
