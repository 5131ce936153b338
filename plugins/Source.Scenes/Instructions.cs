using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>A digit that is written into an empty corner of a scene.</summary>
internal sealed record Mark(int Digit, Cell Cell)
{
    public static Mark Make(Scene scene, ref Draw draw)
    {
        Cell[] free = [.. Inventories.Cells.Where(cell => scene.Things.All(thing => thing.Cell != cell))];
        return new Mark(draw.Below(10), draw.Of(free));
    }
}

/// <summary>
/// What templates can ask about a scene, in English and Chinese: for each type one instruction a language, about the same thing. Answers are
/// spread over many values, so that guessing the commonest one gains little.
/// </summary>
internal static class Instructions
{
    private const string Image = "image", Audio = "audio";

    private static readonly string[] Numbers = ["none", "one", "two", "three"];
    private static readonly string[] ChineseNumbers = ["零", "一", "二", "三"];
    private static readonly string[] Pitches = ["low", "middle", "high"];
    private static readonly string[] ChinesePitches = ["低", "中", "高"];
    private static readonly string[] Letters = ["a", "b", "c", "d"];

    public static IReadOnlyList<Instruction> About(Scene scene, Tone? tone, Mark mark, ref Draw draw)
    {
        var list = new List<Instruction>();
        var (thing, other) = (draw.Of(scene.Things), draw.Of(scene.Things));

        Add("image-description", [Image], ("response", Captions.English(scene), Captions.Chinese(scene)));
        var missing = 3 - scene.Things.Count;
        Add("description-with-advice", [Image], ("response", $"{Captions.English(scene)}. advice: add {Numbers[missing]}.", $"{Captions.Chinese(scene)}。建议：再加{ChineseNumbers[missing]}个。"));
        Add("question-answering", [Image], ("query", $"what colour is the {Shape(thing)}?", $"{ChineseShape(thing)}是什么颜色？"), ("response", Colour(thing), ChineseColour(thing)));
        Add("visual-question", [Image], ("query", $"what is at the {Captions.Place(other.Cell)}?", $"{Captions.ChinesePlace(other.Cell)}角有什么？"), ("response", Palette.Name(other), ChineseName(other)));
        Add("counting", [Image], ("response", Numbers[scene.Things.Count], ChineseNumbers[scene.Things.Count]));
        Add("object-naming", [Image], ("response", string.Join(", ", InRows(scene).Select(Palette.Name)), string.Join("，", InRows(scene).Select(ChineseName))));
        Add("reading", [Image], Same("response", $"{mark.Digit}"));
        var (left, right) = (scene.Things.Count(item => item.Cell.Column == 0), scene.Things.Count(item => item.Cell.Column == 1));
        Add("picture-comparison", [Image], ("response", $"left {Numbers[left]}, right {Numbers[right]}", $"左{ChineseNumbers[left]}，右{ChineseNumbers[right]}"));
        list.AddRange(Relation(scene, ref draw));
        list.AddRange(Choice(thing, ref draw));
        list.AddRange(Inference(scene, thing, ref draw));
        list.AddRange(Refusal(scene, other, ref draw));
        list.AddRange(FactCheck(thing, ref draw));

        var where = draw.Coin();
        Add("chat", [Image],
            ("first", $"what colour is the {Shape(thing)}?", $"{ChineseShape(thing)}是什么颜色？"), ("reply", $"{Colour(thing)}.", $"{ChineseColour(thing)}。"),
            where ? ("second", "and where is it?", "它在哪里？") : ("second", "and how many objects are there?", "一共有几个东西？"),
            where ? ("response", Captions.Place(thing.Cell), Captions.ChinesePlace(thing.Cell)) : ("response", Numbers[scene.Things.Count], ChineseNumbers[scene.Things.Count]));

        list.AddRange(Texts(scene, thing, ref draw));
        if (tone is not null) list.AddRange(Sounds(scene, tone, mark));
        return list;

        void Add(string type, string[] needs, params (string Slot, string English, string Chinese)[] slots) => list.AddRange(Both(type, needs, slots));
    }

    private static IEnumerable<Instruction> Relation(Scene scene, ref Draw draw)
    {
        var pairs = scene.Pairs().ToList();
        if (pairs.Count == 0) return [];
        var (a, b) = draw.Of(pairs);
        return Both("spatial-relation", [Image], ("a", $"the {Palette.Name(a)}", ChineseName(a)), ("b", $"the {Palette.Name(b)}", ChineseName(b)), ("response", Scene.Side(a, b), ChineseSide(a, b)));
    }

    private static IEnumerable<Instruction> Choice(Thing thing, ref Draw draw)
    {
        var colours = Some(Palette.Colours.Count, Letters.Length, thing.Colour, ref draw);
        var options = Letters.Select((letter, i) => (letter, Palette.Colours[colours[i]].English, Palette.Colours[colours[i]].Chinese));
        return Both("multiple-choice", [Image], [("query", $"what colour is the {Shape(thing)}?", $"{ChineseShape(thing)}是什么颜色？"), .. options, Same("response", Letters[Array.IndexOf(colours, thing.Colour)])]);
    }

    private static IEnumerable<Instruction> Inference(Scene scene, Thing thing, ref Draw draw)
    {
        (string, string)[] unsaid = [("heavy", "重的"), ("new", "新的"), ("warm", "暖的"), ("soft", "软的")];
        var wrong = Other(Palette.Colours.Count, thing.Colour, ref draw);
        var said = draw.Of(unsaid);
        var ((english, chinese), label) = draw.Below(3) switch
        {
            0 => ((Colour(thing), ChineseColour(thing) + "的"), ("entailment", "蕴含")),
            1 => ((Palette.Colours[wrong].English, Palette.Colours[wrong].Chinese + "的"), ("contradiction", "矛盾")),
            _ => (said, ("neutral", "中立")),
        };
        return Both("inference", [], ("premise", Captions.English(scene), Captions.Chinese(scene)), ("hypothesis", $"the {Shape(thing)} is {english}", $"{ChineseShape(thing)}是{chinese}"), ("label", label.Item1, label.Item2));
    }

    private static IEnumerable<Instruction> Refusal(Scene scene, Thing thing, ref Draw draw)
    {
        int[] absent = [.. Enumerable.Range(0, Palette.Shapes.Count).Where(shape => scene.Things.All(item => item.Shape != shape))];
        var shape = draw.Coin() ? thing.Shape : draw.Of(absent);
        var (english, chinese) = Palette.Shapes[shape];
        return Both("refusal", [Image], ("query", $"what colour is the {english}?", $"{chinese}是什么颜色？"),
            shape == thing.Shape ? ("response", Colour(thing), ChineseColour(thing)) : ("response", $"there is no {english}", $"没有{chinese}"));
    }

    private static IEnumerable<Instruction> FactCheck(Thing thing, ref Draw draw)
    {
        var claimed = draw.Below(3) == 0 ? thing.Colour : Other(Palette.Colours.Count, thing.Colour, ref draw);
        var (english, chinese, _, _, _) = Palette.Colours[claimed];
        return Both("fact-check", [Image], ("claim", $"the {Shape(thing)} is {english}", $"{ChineseShape(thing)}是{chinese}的"),
            claimed == thing.Colour ? ("response", "yes", "是") : ("response", $"no, {Colour(thing)}", $"不，{ChineseColour(thing)}"));
    }

    /// <summary>What is about a text alone.</summary>
    private static IEnumerable<Instruction> Texts(Scene scene, Thing thing, ref Draw draw)
    {
        var list = new List<Instruction>();
        void Add(string type, params (string Slot, string English, string Chinese)[] slots) => list.AddRange(Both(type, [], slots));

        var (english, chinese) = (Captions.English(scene), Captions.Chinese(scene));
        Add("translation", ("text", english, chinese), ("response", chinese, english));
        Add("summary", ("text", string.Join(" ", scene.Things.Select(item => $"at the {Captions.Place(item.Cell)} there is {A(item)}.")), string.Concat(scene.Things.Select(item => $"{Captions.ChinesePlace(item.Cell)}角有{ChineseName(item)}。"))),
            ("response", string.Join(", ", scene.Things.Select(Palette.Name)), string.Join("，", scene.Things.Select(ChineseName))));
        var pairs = scene.Pairs().ToList();
        var (a, b) = pairs.Count > 0 ? draw.Of(pairs) : (thing, thing);
        if (pairs.Count > 0)
            Add("rewriting", ("text", $"the {Palette.Name(a)} is {Of(Scene.Side(a, b))} the {Palette.Name(b)}", $"{ChineseName(a)}在{ChineseName(b)}的{ChineseSide(a, b)}"),
                ("response", $"the {Palette.Name(b)} is {Of(Scene.Side(b, a))} the {Palette.Name(a)}", $"{ChineseName(b)}在{ChineseName(a)}的{ChineseSide(b, a)}"));
        else
            Add("rewriting", ("text", $"the {Palette.Name(thing)} is at the {Captions.Place(thing.Cell)}", $"{ChineseName(thing)}在{Captions.ChinesePlace(thing.Cell)}角"),
                ("response", $"at the {Captions.Place(thing.Cell)} is the {Palette.Name(thing)}", $"{Captions.ChinesePlace(thing.Cell)}角是{ChineseName(thing)}"));
        (string, string, string, string)[] kinds =
        [
            ($"what colour is the {Shape(thing)}?", "colour", $"{ChineseShape(thing)}是什么颜色？", "颜色"), ($"what is the {Colour(thing)} thing?", "shape", $"{ChineseColour(thing)}的是什么？", "形状"),
            ("how many objects are there?", "number", "有几个东西？", "数量"), ($"where is the {Palette.Name(thing)}?", "place", $"{ChineseName(thing)}在哪里？", "位置"), ("how high is the tone?", "sound", "声音有多高？", "声音"),
        ];
        var (question, kind, chineseQuestion, chineseKind) = draw.Of(kinds);
        Add("classification", ("text", question, chineseQuestion), ("response", kind, chineseKind));
        var (place, chinesePlace) = (Captions.Place(thing.Cell), Captions.ChinesePlace(thing.Cell));
        Add("extraction", ("text", $"{A(thing)} at the {place}", $"{chinesePlace}角有{ChineseName(thing)}"),
            ("response", $$"""{"colour":"{{Colour(thing)}}","shape":"{{Shape(thing)}}","place":"{{place}}"}""", $$"""{"colour":"{{ChineseColour(thing)}}","shape":"{{ChineseShape(thing)}}","place":"{{chinesePlace}}"}"""));
        var (tool, chineseTool) = draw.Of([("draw", "画"), ("erase", "擦掉"), ("move", "移动")]);
        Add("tool-call", ("text", $"please {tool} {A(thing)}", $"请{chineseTool}{ChineseName(thing)}"),
            ("response", $$$"""{"tool":"{{{tool}}}","arguments":{"colour":"{{{Colour(thing)}}}","shape":"{{{Shape(thing)}}}"}}""", $$$"""{"tool":"{{{tool}}}","arguments":{"colour":"{{{ChineseColour(thing)}}}","shape":"{{{ChineseShape(thing)}}}"}}"""));
        var gap = draw.Coin() ? (Colour(thing), ChineseColour(thing)) : (Shape(thing), ChineseShape(thing));
        Add("cloze", ("text", english.Replace("an orange", "a orange", StringComparison.Ordinal).Replace(gap.Item1, "___", StringComparison.Ordinal), chinese.Replace(gap.Item2, "___", StringComparison.Ordinal)), ("response", gap.Item1, gap.Item2));
        var numbers = Some(10, 3, draw.Below(10), ref draw);
        Add("ordering", Same("items", string.Join(' ', numbers)), Same("response", string.Join(' ', numbers.Order())));
        return list;
    }

    /// <summary>What is heard; one beep asks for the number of objects, two for the digit, three for the pitch.</summary>
    private static IEnumerable<Instruction> Sounds(Scene scene, Tone tone, Mark mark)
    {
        var (pitch, chinese) = (Pitches[tone.Pitch], ChinesePitches[tone.Pitch]);
        var beeps = tone.Slots.Count;
        string Written(string beep, string rest) => string.Join(' ', Enumerable.Range(0, 3).Select(slot => tone.Slots.Contains(slot) ? beep : rest));
        return
        [
            .. Both("audio-transcription", [Audio], ("response", Written(pitch, "rest"), Written(chinese, "停"))),
            .. Both("sound-naming", [Audio], ("response", $"{Numbers[beeps]} {pitch} beep{(beeps > 1 ? "s" : "")}", $"{ChineseNumbers[beeps]}声{chinese}音")),
            .. Both("voice-question", beeps == 3 ? [Audio] : [Image, Audio], beeps switch
            {
                1 => ("response", Numbers[scene.Things.Count], ChineseNumbers[scene.Things.Count]),
                2 => Same("response", $"{mark.Digit}"),
                _ => ("response", pitch, chinese),
            }),
        ];
    }

    internal static IEnumerable<Instruction> Both(string type, string[] needs, params (string Slot, string English, string Chinese)[] slots) =>
    [
        new(type, "en", slots.ToDictionary(slot => slot.Slot, slot => slot.English), needs),
        new(type, "zh", slots.ToDictionary(slot => slot.Slot, slot => slot.Chinese), needs),
    ];

    private static (string, string, string) Same(string slot, string value) => (slot, value, value);

    /// <summary>Different numbers below a count, one of them given, in random order.</summary>
    private static int[] Some(int count, int wanted, int with, ref Draw draw)
    {
        var some = new List<int> { with };
        while (some.Count < wanted)
            if (draw.Below(count) is var next && !some.Contains(next)) some.Add(next);
        for (var i = some.Count - 1; i > 0; i--)
        {
            var other = draw.Below(i + 1);
            (some[i], some[other]) = (some[other], some[i]);
        }
        return [.. some];
    }

    private static int Other(int count, int than, ref Draw draw) => (than + 1 + draw.Below(count - 1)) % count;

    private static IEnumerable<Thing> InRows(Scene scene) => scene.Things.OrderBy(thing => thing.Cell.Row).ThenBy(thing => thing.Cell.Column);

    private static string Colour(Thing thing) => Palette.Colours[thing.Colour].English;

    private static string Shape(Thing thing) => Palette.Shapes[thing.Shape].English;

    private static string ChineseColour(Thing thing) => Palette.Colours[thing.Colour].Chinese;

    private static string ChineseShape(Thing thing) => Palette.Shapes[thing.Shape].Chinese;

    private static string ChineseName(Thing thing) => $"{ChineseColour(thing)}的{ChineseShape(thing)}";

    private static string A(Thing thing) => $"a {Palette.Name(thing)}".Replace("a orange", "an orange", StringComparison.Ordinal);

    private static string Of(string side) => side is "left" or "right" ? side + " of" : side;

    private static string ChineseSide(Thing first, Thing second) => Scene.Side(first, second) switch { "left" => "左边", "right" => "右边", "above" => "上面", _ => "下面" };
}
