using PluginHost.Sdk;
using Source.Scenes;

namespace Plugins.Data.Tests;

public class MovingScenesTests
{
    private static readonly MovingScenes Source = Open(new MovingScenesOptions());

    private static MovingScenes Open(MovingScenesOptions options, MediaFormat? format = null) => (MovingScenes)new MovingScenesSource(options).Open(Surroundings.Source(format: format));

    private static IEnumerable<Sample> Samples(int count) => Enumerable.Range(0, count).Select(index => Source.Read("test", index));

    private static int[] Permutation(Random random, int count)
    {
        int[] items = [.. Enumerable.Range(0, count)];
        random.Shuffle(items);
        return items;
    }

    [Fact]
    public void Video_ReadTwiceFromTwoThreads_IsTheSame()
    {
        var other = Open(new MovingScenesOptions());
        var again = new Sample[32];
        Parallel.For(0, again.Length, index => again[again.Length - 1 - index] = other.Read("train", again.Length - 1 - index));
        for (var index = 0; index < again.Length; index++)
        {
            var (one, two) = ((Clip)Source.Read("train", index).Video!, (Clip)again[index].Video!);
            Assert.Equal(one.Frames, two.Frames);
            Assert.Equal(Source.Read("train", index).Turns.Select(turn => (turn.Prompt, turn.Answer)), again[index].Turns.Select(turn => (turn.Prompt, turn.Answer)));
        }
        Assert.NotEqual(Source.Fingerprint, Open(new MovingScenesOptions(Seed: 8)).Fingerprint);
    }

    [Fact]
    public void Drift_InEveryDirection_TakesTheSameSetOfPlaces()
    {
        var thing = new Thing(0, 0, default);
        for (var seed = 0; seed < 50; seed++)
        {
            var across = Permutation(new Random(seed), 8);
            var inverse = Enumerable.Range(0, 8).Select(place => Array.IndexOf(across, place)).ToArray();
            var right = Places(new Drift(thing, 1, across));
            Assert.Equal(right, Places(new Drift(thing, 0, [.. across.Reverse()])));
            Assert.Equal(right, Places(new Drift(thing, 3, inverse)));
            Assert.Equal(right, Places(new Drift(thing, 2, [.. inverse.Reverse()])));
        }

        static List<(int, int)> Places(Drift drift) => [.. Enumerable.Range(0, 8).Select(drift.Place).Order()];
    }

    [Fact]
    public void Events_OfEveryCount_HideTheThingForAsLong()
    {
        var draw = new Draw(3, "any", 0);
        for (var i = 0; i < 300; i++)
        {
            var (blinking, succession) = (Blinking.Make(ref draw), Succession.Make(ref draw));
            Assert.Equal(Blinking.HiddenPhases, blinking.Hidden.Count(hidden => hidden));
            Assert.Equal(blinking.Times, blinking.Hidden.Zip(blinking.Hidden.Skip(1)).Count(pair => !pair.First && pair.Second));
            Assert.False(blinking.Hidden[0] || blinking.Hidden[^1]);
            Assert.True(succession.SecondPhase >= succession.FirstPhase + Succession.Length && succession.SecondPhase + Succession.Length <= MovingScene.Phases);
        }
    }

    [Fact]
    public void Splits_AreDecidedByWhatHappens()
    {
        foreach (var split in Source.Splits)
            for (var index = 0; index < 20; index++) Assert.Equal(split, Splits.Of(Source.Scene(split, index).Scene.ToString()!));
    }

    [Fact]
    public void Thing_SaidToDrift_MovesThatWayInEveryFrame()
    {
        var directions = new HashSet<string>();
        foreach (var sample in Samples(120))
        {
            if (sample.Turns.FirstOrDefault(turn => turn.Task == "direction") is not { } turn) continue;
            directions.Add(turn.Answer);
            Assert.EndsWith($" drifts {turn.Answer}", sample.Texts["en"]);
            var centres = ((Clip)sample.Video!).Frames.Select(frame => Centre(frame, 32)).ToList();
            var steps = centres.Zip(centres.Skip(1), (a, b) => turn.Answer is "left" or "right" ? b.X - a.X : b.Y - a.Y).Select(step => turn.Answer is "left" or "up" ? -step : step);
            Assert.All(steps, step => Assert.InRange(step, 1.5, 4));
        }
        Assert.Equal(4, directions.Count);
    }

    [Fact]
    public void Answers_GuessedBlindly_AreRightAboutAsOftenAsChance()
    {
        var shares = Samples(1000).SelectMany(sample => sample.Turns).GroupBy(turn => turn.Task)
            .ToDictionary(task => task.Key, task => task.GroupBy(turn => turn.Answer).Max(answer => answer.Count()) / (double)task.Count());
        Assert.InRange(shares["direction"], 0.25, 0.31);
        Assert.InRange(shares["order"], 0.1, 0.15);
        Assert.InRange(shares["events"], 0.33, 0.40);
    }

    [Fact]
    public void Questions_NeedTheVideo_AndAgreeWithTheCaptions()
    {
        foreach (var sample in Samples(200))
        {
            Assert.Null(sample.Image);
            Assert.All(sample.Turns, turn => Assert.Equal(["video"], turn.Needs));
            Assert.Contains(sample.Turns, turn => turn.Task == "caption.zh" && turn.Answer == sample.Texts["zh"]);
            foreach (var turn in sample.Turns.Where(turn => turn.Task == "order"))
            {
                var said = sample.Texts["en"].Split(", then ");
                Assert.Contains($" {turn.Answer} ", said[turn.Prompt.Contains("first") ? 0 : 1]);
            }
            foreach (var turn in sample.Turns.Where(turn => turn.Task == "events")) Assert.EndsWith($" blinks {turn.Answer}", sample.Texts["en"]);
        }
    }

    [Fact]
    public void Clips_OfOtherForms_HaveTheWantedOne()
    {
        var clip = (Clip)Open(new MovingScenesOptions(), Surroundings.Format with { VideoSize = 24, VideoFrames = 16, VideoRate = 8 }).Read("train", 0).Video!;
        Assert.Equal((24, 24, 16), (clip.Width, clip.Height, clip.Frames.Count));
        Assert.Equal(1.875, clip.Times[^1]);
    }

    [Fact]
    public void FewFrames_AreRefused_WithTheSettingToChange()
    {
        var error = Assert.Throws<UserErrorException>(() => Open(new MovingScenesOptions(), Surroundings.Format with { VideoFrames = 4 }));
        Assert.Equal("source.moving-scenes: 'data.video.frames' is 4, and what happens in these videos takes 8 frames; set it to 8 or more.", error.Message);
    }

    /// <summary>The middle of what is not paper, which is the colour of the corner.</summary>
    private static (double X, double Y) Centre(byte[] rgb, int size)
    {
        double x = 0, y = 0, all = 0;
        for (var pixel = 0; pixel < size * size; pixel++)
        {
            var difference = Enumerable.Range(0, 3).Sum(channel => Math.Abs(rgb[3 * pixel + channel] - rgb[channel]));
            (x, y, all) = (x + difference * (pixel % size), y + difference * (pixel / size), all + difference);
        }
        return (x / all, y / all);
    }
}
