using PluginHost.Sdk;
using Source.Scenes;

namespace Plugins.Data.Tests;

public class ScenesTests
{
    private static readonly ISource Source = Open(new ScenesOptions());

    private static ISource Open(ScenesOptions options) => new ScenesSource(options).Open(Surroundings.Source());

    private static IEnumerable<Sample> Samples(string split, int count) => Enumerable.Range(0, count).Select(index => Source.Read(split, index));

    [Fact]
    public void Scene_ReadTwiceFromTwoThreads_IsTheSame()
    {
        var other = Open(new ScenesOptions());
        var again = new Sample[64];
        Parallel.For(0, again.Length, index => again[again.Length - 1 - index] = other.Read("train", again.Length - 1 - index));
        for (var index = 0; index < again.Length; index++)
        {
            var sample = Source.Read("train", index);
            Assert.Equal(((Picture)sample.Image!).Rgb, ((Picture)again[index].Image!).Rgb);
            Assert.Equal(((Sound)sample.Audio!).Samples, ((Sound)again[index].Audio!).Samples);
            Assert.Equal(sample.Turns.Select(turn => (turn.Task, turn.Prompt, turn.Answer)), again[index].Turns.Select(turn => (turn.Task, turn.Prompt, turn.Answer)));
        }
    }

    [Fact]
    public void Scene_OfAnotherSeedOrSplit_IsAnother()
    {
        var other = Open(new ScenesOptions(Seed: 8));
        Assert.NotEqual(Source.Fingerprint, other.Fingerprint);
        Assert.Contains(Enumerable.Range(0, 10), index => Source.Read("train", index).Texts["en"] != other.Read("train", index).Texts["en"]);
        Assert.Contains(Enumerable.Range(0, 10), index => Source.Read("train", index).Texts["en"] != Source.Read("test", index).Texts["en"]);
    }

    [Fact]
    public void Scene_OfAQuietCorpus_IsTheSameWithoutSoundInTrainingAlone()
    {
        var quiet = Open(new ScenesOptions(Sounding: 0.25));
        var silent = 0;
        for (var index = 0; index < 400; index++)
        {
            var (whole, sample) = (Source.Read("train", index), quiet.Read("train", index));
            Assert.Equal(whole.Texts, sample.Texts);
            Assert.Equal(sample.Audio is null, !sample.Turns.Any(turn => turn.Needs.Contains("audio")));
            Assert.Equal(whole.Turns.Where(turn => !turn.Needs.Contains("audio")).Select(turn => turn.Prompt), sample.Turns.Where(turn => !turn.Needs.Contains("audio")).Select(turn => turn.Prompt));
            if (sample.Audio is null) silent++;
            Assert.NotNull(quiet.Read("test", index).Audio);
        }
        Assert.InRange(silent, 260, 340);
    }

    [Fact]
    public void Splits_HaveTheConfiguredCounts()
    {
        var source = Open(new ScenesOptions(Train: 10, Validation: 4, Test: 3, Compositional: 0));
        Assert.Equal(["train", "validation", "test"], source.Splits);
        Assert.Equal([10, 4, 3, 0], ((string[])["train", "validation", "test", "compositional"]).Select(source.Count));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Read("test", 3));
    }

    [Fact]
    public void HeldOutPairs_LeaveEveryColourAndShapeWithManyPartners()
    {
        var pairs = from colour in Enumerable.Range(0, Palette.Colours.Count) from shape in Enumerable.Range(0, Palette.Shapes.Count) select (colour, shape);
        var heldOut = pairs.Where(pair => Palette.HeldOut(pair.colour, pair.shape)).ToList();
        Assert.Equal(Palette.Colours.Count, heldOut.Select(pair => pair.colour).Distinct().Count());
        Assert.Equal(Palette.Shapes.Count, heldOut.Select(pair => pair.shape).Distinct().Count());
        Assert.All(heldOut.GroupBy(pair => pair.colour), group => Assert.Single(group));
        Assert.All(heldOut.GroupBy(pair => pair.shape), group => Assert.InRange(group.Count(), 1, 2));
    }

    [Theory]
    [InlineData("train", false)]
    [InlineData("validation", false)]
    [InlineData("test", false)]
    [InlineData("compositional", true)]
    public void HeldOutPairs_AppearInTheCompositionalSplitAlone(string split, bool expected)
    {
        var names = (from colour in Enumerable.Range(0, Palette.Colours.Count) from shape in Enumerable.Range(0, Palette.Shapes.Count) where Palette.HeldOut(colour, shape) select Palette.Name(new Thing(colour, shape, default))).ToList();
        foreach (var sample in Samples(split, 500))
        {
            Assert.Equal(expected, names.Any(sample.Texts["en"].Contains));
            foreach (var turn in sample.Turns.Where(turn => turn.Task is "exists" or "place"))
                Assert.Equal(expected, names.Any(name => (turn.Prompt + " " + turn.Answer).Contains(name)));
        }
    }

    [Fact]
    public void Questions_HaveOneRightAnswerThatAgreesWithTheCaption()
    {
        foreach (var sample in Samples("test", 500))
        {
            var caption = sample.Texts["en"];
            var turns = sample.Turns.DistinctBy(turn => turn.Task).ToDictionary(turn => turn.Task);
            Assert.Contains(turns["place"].Answer, caption);
            var named = Palette.Shapes.Single(shape => turns["colour"].Prompt.Contains(" " + shape.English + "?") || turns["colour"].Prompt.Contains(" " + shape.English + " ")).English;
            Assert.Contains($"{turns["colour"].Answer} {named}", caption);
            var colour = Palette.Colours.Single(colour => turns["shape"].Prompt.Contains(colour.English)).English;
            Assert.Contains($"{colour} {turns["shape"].Answer}", caption);
            var objects = Palette.Colours.Count(colour => caption.Contains(colour.English + " "));
            Assert.Equal(((string[])["one", "two", "three"])[objects - 1], turns["count"].Answer);
            foreach (var exists in sample.Turns.Where(turn => turn.Task == "exists"))
            {
                // "is there a red ring?", "is there a ring?", "is there a red object?"
                var asked = exists.Prompt.TrimEnd('?').Replace(" object", "").Split(" a ")[^1].Split(" an ")[^1];
                Assert.Equal($" {caption} ".Contains($" {asked} ") ? "yes" : "no", exists.Answer);
            }
            Assert.Contains(turns["inventory.where"].Answer.Split(", "), item => item.EndsWith(turns["where"].Answer));
            foreach (var relation in sample.Turns.Where(turn => turn.Task == "relation")) Assert.Contains(relation.Answer, (string[])["left", "right", "above", "below"]);
            Assert.Equal(sample.Turns.Count, sample.Turns.Select(turn => turn.Prompt).Distinct().Count());
        }
    }

    [Theory]
    [InlineData("test")]
    [InlineData("compositional")]
    public void Answers_GuessedBlindly_AreRightInAtMostTwoFifths(string split)
    {
        var shares = Samples(split, 1000).SelectMany(sample => sample.Turns).GroupBy(turn => turn.Task)
            .Select(task => task.GroupBy(turn => turn.Answer).Max(answer => answer.Count()) / (double)task.Count()).ToList();
        Assert.InRange(shares.Average(), 0, 0.40);
        Assert.All(shares, share => Assert.InRange(share, 0, 0.56));
    }

    [Fact]
    public void Captions_NearlyIdentifyTheirScene()
    {
        Assert.InRange(Samples("test", 100).Select(sample => sample.Texts["en"]).Distinct().Count(), 90, 100);
        Assert.InRange(Samples("test", 100).Select(sample => sample.Texts["zh"]).Distinct().Count(), 90, 100);
    }

    [Fact]
    public void Tones_OfOnePitch_CrossZeroAsOftenAsItSays()
    {
        var crossings = new Dictionary<string, List<int>>();
        foreach (var sample in Samples("test", 200))
        {
            var turns = sample.Turns.DistinctBy(turn => turn.Task).ToDictionary(turn => turn.Task);
            if (turns["beeps"].Answer != "three") continue;
            var sound = ((Sound)sample.Audio!).Samples;
            Assert.Equal(4000, sound.Length);
            Assert.All(sound, value => Assert.InRange(value, -1, 1));
            var loud = sound.Select(value => MathF.Abs(value) < 0.05f ? 0 : MathF.Sign(value)).Where(sign => sign != 0).ToList();
            if (!crossings.TryGetValue(turns["pitch"].Answer, out var list)) crossings[turns["pitch"].Answer] = list = [];
            list.Add(loud.Zip(loud.Skip(1)).Count(pair => pair.First != pair.Second));
        }
        Assert.True(crossings["low"].Max() < crossings["middle"].Min());
        Assert.True(crossings["middle"].Max() < crossings["high"].Min());
    }

    [Fact]
    public void Pictures_OfAnySize_FillTheWantedSquare()
    {
        var source = new ScenesSource(new ScenesOptions()).Open(Surroundings.Source(format: new MediaFormat(48, 2000, 0.5)));
        var sample = source.Read("train", 0);
        Assert.Equal(48 * 48 * 3, ((Picture)sample.Image!).Rgb.Length);
        Assert.Equal(1000, ((Sound)sample.Audio!).Samples.Length);
    }
}
