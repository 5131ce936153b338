using System.Globalization;

namespace Source.ToolRequests;

/// <summary>What requests are put together from.</summary>
internal static class Words
{
    /// <summary>How a wish begins in training; with <see cref="Closers"/> and words that mean nothing a frame that is hardly ever the same: what is new in a frame is to be passed over.</summary>
    public static readonly IReadOnlyList<string> Openers =
    [
        "", "", "", "please ", "can you ", "now ", "i want you to ", "you should ", "hello, ", "first ", "so ", "do ", "it is time to ", "let us ", "i need you to ", "may i ask you to ", "then ",
        "well, ", "help me and ", "try to ", "make sure to ", "be so kind and ", "the task is to ", "my wish: ", "what about this: ", "one more thing, ", "will you ", "you can ", "i ask you to ", "good, ",
    ];

    /// <summary>How it ends in training.</summary>
    public static readonly IReadOnlyList<string> Closers = ["", "", "", "", "", "", " please", " now", " at once", " if you can", " again", " today", " thank you", " when you are ready", " or else", " then"];

    /// <summary>What may stand for <c>{det}</c> in a training wording.</summary>
    public static readonly IReadOnlyList<string> Determiners = ["the", "the", "a", "one", "our", "your", "another", "any"];

    /// <summary>How it is put in tests.</summary>
    public static readonly IReadOnlyList<string> HeldFrames = ["could you {}", "would you {} for me", "i would like you to {}", "go ahead and {}", "next, {}"];

    private static readonly string[] Colours = ["red", "green", "blue", "yellow", "purple", "orange", "black", "white"];
    private static readonly string[] Shapes = ["circle", "square", "triangle", "star", "cross", "diamond"];
    private static readonly string[] Places = ["left", "right", "top", "bottom", "middle", "corner"];
    private static readonly string[] Pitches = ["low", "high", "deep", "bright"];
    private static readonly string[] Titles = ["boat", "house", "garden", "winter", "river", "lamp", "cloud", "apple"];

    /// <summary>The slots that made-up functions have arguments of, with the words that lead to them.</summary>
    public static readonly (string Slot, string[] Names, string Phrase)[] Slots =
    [
        ("colour", ["colour", "paint", "shade"], "in {colour}"), ("shape", ["shape", "figure", "form"], "with the {shape}"), ("place", ["place", "side", "where"], "at the {place}"),
        ("count", ["count", "times", "number"], "{count} times"), ("title", ["title", "name", "label"], "as {title}"), ("degrees", ["amount", "size", "much"], "by {degrees}"),
    ];

    /// <summary>Whether the values of a slot are whole numbers.</summary>
    public static bool IsNumber(string slot) => slot is "count" or "degrees";

    /// <summary>A value of a slot as it stands in a request.</summary>
    public static string Value(string slot, Random random) => slot switch
    {
        "colour" => Any(Colours, random),
        "shape" => Any(Shapes, random),
        "place" => Any(Places, random),
        "pitch" => Any(Pitches, random),
        "title" => Any(Titles, random),
        "count" => random.Next(2, 10).ToString(CultureInfo.InvariantCulture),
        "degrees" => (15 * random.Next(1, 12)).ToString(CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(slot), slot, "no slot"),
    };

    /// <summary>A wish in a frame of training.</summary>
    public static string Framed(string wish, Random random)
    {
        const double filled = 0.15;
        var (before, after) = (random.NextDouble() < filled ? MadeTool.Nonsense(random) + (random.Next(2) == 0 ? ", " : " ") : "", random.NextDouble() < filled ? " " + MadeTool.Nonsense(random) : "");
        return (random.Next(2) == 0 ? before + Any(Openers, random) : Any(Openers, random) + before) + wish + after + Any(Closers, random);
    }

    /// <summary>One of some.</summary>
    public static T Any<T>(IReadOnlyList<T> all, Random random) => all[random.Next(all.Count)];
}
