namespace Source.Scenes;

/// <summary>
/// What happens in a video, in eight phases. Whatever happens, the set of its frames is the same: only their order tells which of the possible
/// things it was. So a model that looks at frames one by one can do no better than guess.
/// </summary>
internal abstract record MovingScene
{
    /// <summary>Phases in which things appear and vanish; a phase is one frame or more.</summary>
    public const int Phases = 8;

    /// <summary>One of the three kinds, by equal chance.</summary>
    /// <param name="draw">Decides everything.</param>
    /// <param name="frames">Frames of the video.</param>
    public static MovingScene Make(ref Draw draw, int frames) => draw.Below(3) switch
    {
        0 => Drift.Make(ref draw, frames),
        1 => Succession.Make(ref draw),
        _ => Blinking.Make(ref draw),
    };

    protected static Thing SomeThing(ref Draw draw) => new(draw.Below(Palette.Colours.Count), draw.Below(Palette.Shapes.Count), new Cell(draw.Below(2), draw.Below(2)));

    protected static void Shuffle(int[] items, ref Draw draw)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var other = draw.Below(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }
}

/// <summary>
/// A thing that drifts in one direction and flutters across it: frame by frame it takes the next place along the drift, and any place that it
/// has not had yet across. The places taken are a random permutation, whichever way it drifts.
/// </summary>
/// <param name="Thing">The thing.</param>
/// <param name="Direction">Index into <see cref="Directions"/>.</param>
/// <param name="Across">The place across the drift in each frame: a permutation.</param>
internal sealed record Drift(Thing Thing, int Direction, int[] Across) : MovingScene
{
    public static IReadOnlyList<(string English, string Chinese)> Directions { get; } = [("left", "左"), ("right", "右"), ("up", "上"), ("down", "下")];

    public new static Drift Make(ref Draw draw, int frames)
    {
        var (thing, direction) = (SomeThing(ref draw), draw.Below(Directions.Count));
        int[] across = [.. Enumerable.Range(0, frames)];
        Shuffle(across, ref draw);
        return new Drift(thing, direction, across);
    }

    /// <summary>Column and row of a frame's place, each from 0 to the number of frames - 1.</summary>
    public (int Column, int Row) Place(int frame)
    {
        var along = Direction is 1 or 3 ? frame : Across.Length - 1 - frame;
        return Direction < 2 ? (along, Across[frame]) : (Across[frame], along);
    }

    public override string ToString() => $"drift {Palette.Name(Thing)} {Directions[Direction].English} {string.Join(',', Across)}";
}

/// <summary>Two things, each seen for two phases, one after the other.</summary>
/// <param name="First">Seen first.</param>
/// <param name="FirstPhase">From when.</param>
/// <param name="Second">Seen second, of another colour and shape, elsewhere.</param>
/// <param name="SecondPhase">From when.</param>
internal sealed record Succession(Thing First, int FirstPhase, Thing Second, int SecondPhase) : MovingScene
{
    public const int Length = 2;

    public static Succession Make(ref Draw draw)
    {
        while (true)
        {
            var (first, second) = (SomeThing(ref draw), SomeThing(ref draw));
            var (one, other) = (draw.Below(Phases - Length + 1), draw.Below(Phases - Length + 1));
            if (first.Colour != second.Colour && first.Shape != second.Shape && first.Cell != second.Cell && other - one >= Length) return new Succession(first, one, second, other);
        }
    }

    public override string ToString() => $"succession {Palette.Name(First)} {FirstPhase} {Palette.Name(Second)} {SecondPhase} {First.Cell} {Second.Cell}";
}

/// <summary>A thing that vanishes one to three times, for three phases altogether.</summary>
/// <param name="Thing">The thing.</param>
/// <param name="Times">How often.</param>
/// <param name="Hidden">Whether it is hidden in each phase.</param>
internal sealed record Blinking(Thing Thing, int Times, bool[] Hidden) : MovingScene
{
    public const int HiddenPhases = 3;

    public static Blinking Make(ref Draw draw)
    {
        var (thing, times) = (SomeThing(ref draw), 1 + draw.Below(HiddenPhases));
        while (true)
        {
            // It is there at the beginning and at the end.
            var hidden = new bool[Phases];
            for (var left = HiddenPhases; left > 0;)
                if (1 + draw.Below(Phases - 2) is var phase && !hidden[phase]) (hidden[phase], left) = (true, left - 1);
            if (Enumerable.Range(1, Phases - 1).Count(phase => hidden[phase] && !hidden[phase - 1]) == times) return new Blinking(thing, times, hidden);
        }
    }

    public override string ToString() => $"blinking {Palette.Name(Thing)} {Thing.Cell} {string.Concat(Hidden.Select(hidden => hidden ? '-' : '+'))}";
}
