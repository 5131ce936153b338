using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>What is said and asked about moving scenes.</summary>
internal static class Events
{
    private static readonly string[] Counts = ["once", "twice", "three times"];
    private static readonly string[] ChineseCounts = ["一", "两", "三"];

    public static string English(MovingScene scene) => scene switch
    {
        Drift drift => $"{A(drift.Thing)} drifts {Drift.Directions[drift.Direction].English}",
        Succession succession => $"{A(succession.First)}, then {A(succession.Second)}",
        Blinking blinking => $"{A(blinking.Thing)} blinks {Counts[blinking.Times - 1]}",
        _ => throw new NotSupportedException($"No words for a {scene.GetType().Name}."),
    };

    public static string Chinese(MovingScene scene) => scene switch
    {
        Drift drift => $"{ChineseName(drift.Thing)}向{Drift.Directions[drift.Direction].Chinese}飘",
        Succession succession => $"先是{ChineseName(succession.First)}，然后是{ChineseName(succession.Second)}",
        Blinking blinking => $"{ChineseName(blinking.Thing)}闪了{ChineseCounts[blinking.Times - 1]}次",
        _ => throw new NotSupportedException($"No words for a {scene.GetType().Name}."),
    };

    public static IReadOnlyList<Turn> Questions(MovingScene scene, ref Draw draw)
    {
        List<Turn> turns = scene switch
        {
            Drift drift => [Ask("direction", ["which way does it drift?", "in which direction does it move?", $"where does the {Palette.Shapes[drift.Thing.Shape].English} move?"], Drift.Directions[drift.Direction].English, ref draw)],
            Succession succession =>
            [
                Ask("order", ["which colour comes first?", "what colour is seen first?"], Palette.Colours[succession.First.Colour].English, ref draw),
                Ask("order", ["which colour comes last?", "what colour is seen last?"], Palette.Colours[succession.Second.Colour].English, ref draw),
            ],
            Blinking blinking => [Ask("events", ["how often does it blink?", $"how often does the {Palette.Shapes[blinking.Thing.Shape].English} vanish?"], Counts[blinking.Times - 1], ref draw)],
            _ => [],
        };
        turns.Add(Ask("caption.en", ["describe the video.", "what happens?"], English(scene), ref draw));
        turns.Add(Ask("caption.zh", ["描述视频。", "发生了什么？"], Chinese(scene), ref draw));
        return turns;
    }

    /// <summary>What templates can ask about a video.</summary>
    public static IReadOnlyList<Instruction> Instructions(MovingScene scene) =>
    [
        .. Source.Scenes.Instructions.Both("video-description", ["video"], ("response", English(scene), Chinese(scene))),
        .. scene is Succession succession
            ? Source.Scenes.Instructions.Both("temporal-order", ["video"], ("response", $"{Palette.Name(succession.First)}, {Palette.Name(succession.Second)}", $"{ChineseName(succession.First)}，{ChineseName(succession.Second)}"))
            : [],
    ];

    private static Turn Ask(string task, string[] prompts, string answer, ref Draw draw) => new(task, draw.Of(prompts), answer, "video");

    private static string A(Thing thing) => $"a {Palette.Name(thing)}".Replace("a orange", "an orange");

    private static string ChineseName(Thing thing) => $"{Palette.Colours[thing.Colour].Chinese}的{Palette.Shapes[thing.Shape].Chinese}";
}
