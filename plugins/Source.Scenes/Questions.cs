using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>All questions that apply to a scene. Answers are spread evenly, so that guessing the commonest one gains little.</summary>
internal static class Questions
{
    /// <summary>Questions of each comparing kind; repeated ones are left out.</summary>
    private const int Comparisons = 4;

    private static readonly string[] Numbers = ["one", "two", "three"];
    private static readonly string[] Pitches = ["low", "middle", "high"];

    public static IReadOnlyList<Turn> About(Scene scene, Tone tone, ref Draw draw)
    {
        // A compositional scene asks about its held-out pair, which is the first thing.
        Thing Asked(ref Draw draw) => scene.Compositional ? scene.Things[0] : draw.Of(scene.Things);
        List<Turn> turns =
        [
            Colour(Asked(ref draw), ref draw), Shape(Asked(ref draw), ref draw), Count(scene, ref draw),
            Place(Asked(ref draw), ref draw), Where(Asked(ref draw), ref draw),
        ];
        // What has to be compared is hardest to learn, so it is asked about most.
        for (var i = 0; i < Comparisons; i++)
            if (Relation(scene, ref draw) is { } relation && IsNew(turns, relation)) turns.Add(relation);
        for (var i = 0; i < Comparisons / 2; i++)
        {
            // A yes and a no together or neither: leaving repeated ones out would else make one of them the better guess.
            var (yes, no) = i == 0 || scene.Compositional
                ? (Exists(scene, true, ref draw), Exists(scene, false, ref draw))
                : (ExistsAlone(scene, true, ref draw), ExistsAlone(scene, false, ref draw));
            if (IsNew(turns, yes) && IsNew(turns, no)) turns.AddRange([yes, no]);
        }
        turns.Add(new Turn("pitch", draw.Of(["how high is the tone?", "is the tone low, middle or high?"]), Pitches[tone.Pitch], "audio"));
        turns.Add(new Turn("beeps", draw.Of(["how many beeps do you hear?", "how many beeps are there?"]), Numbers[tone.Slots.Count - 1], "audio"));
        turns.Add(new Turn("caption.en", draw.Of(["describe the picture.", "what does the picture show?"]), Captions.English(scene), "image"));
        turns.Add(new Turn("caption.zh", draw.Of(["描述图片。", "图片里有什么？"]), Captions.Chinese(scene), "image"));
        turns.AddRange(Inventories.Of(scene, ref draw));
        return turns;
    }

    private static Turn Colour(Thing thing, ref Draw draw)
    {
        var shape = Palette.Shapes[thing.Shape].English;
        var prompt = draw.Of([$"what colour is the {shape}?", $"which colour does the {shape} have?", $"the {shape} is of what colour?"]);
        return new Turn("colour", prompt, Palette.Colours[thing.Colour].English, "image");
    }

    private static Turn Shape(Thing thing, ref Draw draw)
    {
        var colour = Palette.Colours[thing.Colour].English;
        var prompt = draw.Of([$"what shape is the {colour} object?", $"which shape is {colour}?", $"what is the {colour} thing?"]);
        return new Turn("shape", prompt, Palette.Shapes[thing.Shape].English, "image");
    }

    private static Turn Count(Scene scene, ref Draw draw) =>
        new("count", draw.Of(["how many objects are there?", "how many shapes do you see?"]), Numbers[scene.Things.Count - 1], "image");

    private static Turn Place(Thing thing, ref Draw draw)
    {
        var place = Captions.Place(thing.Cell);
        return new Turn("place", draw.Of([$"what is at the {place}?", $"which object is at the {place}?"]), Palette.Name(thing), "image");
    }

    private static Turn Where(Thing thing, ref Draw draw) =>
        new("where", draw.Of([$"where is the {Palette.Name(thing)}?", $"in which corner is the {Palette.Name(thing)}?"]), Captions.Place(thing.Cell), "image");

    private static Turn? Relation(Scene scene, ref Draw draw)
    {
        var pairs = scene.Pairs().Where(pair => !scene.Compositional || pair.First == scene.Things[0]).ToList();
        if (pairs.Count == 0) return null;
        var (a, b) = draw.Of(pairs);
        var (one, other) = draw.Coin() ? (Palette.Name(a), Palette.Name(b)) : (Palette.Colours[a.Colour].English + " object", Palette.Colours[b.Colour].English + " object");
        return new Turn("relation", draw.Of([$"where is the {one} relative to the {other}?", $"where is the {one}, seen from the {other}?"]), Scene.Side(a, b), "image");
    }

    private static bool IsNew(List<Turn> turns, Turn turn) => turns.All(other => other.Prompt != turn.Prompt);

    private static Turn Exists(Scene scene, bool there, ref Draw draw)
    {
        var thing = there ? (scene.Compositional ? scene.Things[0] : draw.Of(scene.Things)) : Absent(scene, ref draw);
        return Exists(Palette.Name(thing), there, ref draw);
    }

    /// <summary>Asks for a colour or a shape alone, which prepares for asking about a pair of them.</summary>
    private static Turn ExistsAlone(Scene scene, bool there, ref Draw draw)
    {
        var colours = draw.Coin();
        var all = colours ? Palette.Colours.Select(colour => colour.English + " object").ToList() : [.. Palette.Shapes.Select(shape => shape.English)];
        var present = scene.Things.Select(thing => all[colours ? thing.Colour : thing.Shape]).ToList();
        return Exists(draw.Of(there ? present : [.. all.Except(present)]), there, ref draw);
    }

    private static Turn Exists(string name, bool there, ref Draw draw) =>
        new("exists", draw.Of([$"is there a {name}?", $"do you see a {name}?"]).Replace("a orange", "an orange"), there ? "yes" : "no", "image");

    /// <summary>
    /// A pair that is not there but mostly shares its colour or its shape with a thing that is. Training never asks for a held-out
    /// pair, else it would learn that the answer is always no; a compositional scene asks for nothing else.
    /// </summary>
    private static Thing Absent(Scene scene, ref Draw draw)
    {
        for (var attempt = 0; ; attempt++)
        {
            var thing = draw.Of(scene.Things);
            var stranger = new Thing(draw.Below(Palette.Colours.Count), draw.Below(Palette.Shapes.Count), thing.Cell);
            // Attributes of another thing in the scene make the hardest negatives; not every held-out pair has a near one.
            var other = draw.Coin() ? draw.Of(scene.Things) : stranger;
            var candidate = attempt > 16 ? stranger : draw.Coin() ? thing with { Colour = other.Colour } : thing with { Shape = other.Shape };
            if (Palette.HeldOut(candidate.Colour, candidate.Shape) != scene.Compositional) continue;
            if (!scene.Things.Any(present => present.Colour == candidate.Colour && present.Shape == candidate.Shape)) return candidate;
        }
    }
}
