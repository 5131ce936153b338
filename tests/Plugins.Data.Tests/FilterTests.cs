using Filter.Media;
using Filter.NearDuplicate;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public class FilterTests
{
    private const string Text = "a small brown dog runs quickly over the wet green grass towards its owner in the park";

    private static FilterContext Context => new(Surroundings.Build, ".", (content, _, _) => content);

    private static Picture Plain(int width, int height, byte value) => new(width, height, [.. Enumerable.Repeat(value, width * height * 3)]);

    private static Sound Tone(double amplitude, double seconds) =>
        new(8000, [.. Enumerable.Range(0, (int)(8000 * seconds)).Select(i => (float)(amplitude * Math.Sqrt(2) * Math.Sin(2 * Math.PI * 400 * i / 8000)))]);

    private static Picture Waves(double phase, int brighter = 0) => new(32, 32,
        [.. Enumerable.Range(0, 32 * 32).SelectMany(i => Enumerable.Repeat((byte)(120 + brighter + 60 * Math.Sin(i % 32 * 0.3 + phase) + 40 * Math.Cos(i / 32 * 0.2 * (1 + phase))), 3))]);

    private static List<FilterDecision> Decide(IFilterPlugin plugin, params Sample[] samples)
    {
        using var filter = plugin.Open(Context);
        foreach (var sample in samples) filter.Survey(sample);
        return [.. samples.Select(filter.Decide)];
    }

    private static Sample Said(string id, string text, string language = "en") => new(id) { Texts = new Dictionary<string, string> { [language] = text } };

    [Theory]
    [InlineData(15, 200, 128, "picture too small: 15x200 pixels, at least 16 a side are asked")]
    [InlineData(20, 400, 128, "picture too large: 20x400 pixels, at most 300 a side are asked")]
    [InlineData(20, 20, 2, "picture too dark: mean luma 0.008, at least 0.02 is asked")]
    [InlineData(20, 20, 255, "picture too bright: mean luma 1.000, at most 0.995 is asked")]
    [InlineData(16, 300, 128, "kept")]
    public void Media_Pictures_AreDroppedWithTheFailedCheck(int width, int height, byte value, string reason)
    {
        var decision = Decide(new MediaFilter(new MediaOptions(LargestSide: 300)), new Sample("a") { Image = Plain(width, height, value) })[0];
        Assert.Equal((reason, reason == "kept"), (decision.Reason, decision.Keep));
    }

    [Theory]
    [InlineData(0.5, 0.05, "sound too short: 0.05 s, at least 0.1 s are asked")]
    [InlineData(0.5, 3, "sound too long: 3.00 s or more, at most 2 s are asked")]
    [InlineData(0.0005, 1, "silent: -66.0 dBFS, at least -60 dBFS are asked")]
    [InlineData(0, 1, "silent: -200.0 dBFS, at least -60 dBFS are asked")]
    [InlineData(0.002, 1, "kept")]
    public void Media_Sounds_AreDroppedWithTheFailedCheck(double amplitude, double seconds, string reason)
    {
        var decision = Decide(new MediaFilter(new MediaOptions(LongestSeconds: 2)), new Sample("a") { Audio = Tone(amplitude, seconds) })[0];
        Assert.Equal((reason, reason == "kept"), (decision.Reason, decision.Keep));
    }

    [Fact]
    public void Media_Score_IsTheSmallestMarginInOctaves()
    {
        var decision = Decide(new MediaFilter(new MediaOptions()), new Sample("a") { Image = Plain(64, 128, 128) })[0];
        Assert.Equal(2, decision.Score, 3); // 64 pixels are two doublings of 16; luma 0.502 is further inside
    }

    [Fact]
    public void Media_LimitsTheWrongWayRound_AreRefused() =>
        Assert.Contains("'smallestSide' (50) is more than 'largestSide' (20)", Assert.Throws<UserErrorException>(
            () => new MediaFilter(new MediaOptions(SmallestSide: 50, LargestSide: 20)).Open(Context)).Message, StringComparison.Ordinal);

    [Fact]
    public void NearDuplicate_TextWithOneWordAdded_NamesTheFirst()
    {
        var decisions = Decide(new NearDuplicateFilter(new NearDuplicateOptions(Words: 2)), Said("first", Text), Said("other", "two birds sit on a wire above the busy street"), Said("copy", Text + " today"), Said("CASE", Text.ToUpperInvariant()));
        Assert.Equal([true, true, false, false], decisions.Select(decision => decision.Keep));
        Assert.Equal(["first"], decisions[2].Similar);
        Assert.Equal(1.0, decisions[3].Score);
        Assert.InRange(decisions[2].Score, 0.8, 1.0);
    }

    [Fact]
    public void NearDuplicate_Chinese_IsComparedByCharacters()
    {
        const string Chinese = "一只小狗在公园的绿色草地上快乐地追着一个黄色的球";
        var decisions = Decide(new NearDuplicateFilter(new NearDuplicateOptions()), Said("a", Chinese, "zh"), Said("b", Chinese + "。", "zh"), Said("c", "两只小鸟停在街道上方的电线上唱歌", "zh"));
        Assert.Equal([true, false, true], decisions.Select(decision => decision.Keep));
    }

    [Fact]
    public void NearDuplicate_BrighterPicture_IsTheSame()
    {
        var decisions = Decide(new NearDuplicateFilter(new NearDuplicateOptions()),
            new Sample("a") { Image = Waves(0) }, new Sample("b") { Image = Waves(0, brighter: 10) }, new Sample("c") { Image = Waves(2) });
        Assert.Equal([true, false, true], decisions.Select(decision => decision.Keep));
        Assert.Contains("near-duplicate of 'a': pictures correlate with ", decisions[1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void NearDuplicate_SamePictureWithAnotherCaption_IsKeptUnlessPicturesDecide()
    {
        Sample[] samples = [Said("a", Text) with { Image = Waves(0) }, Said("b", "something else is said about it here") with { Image = Waves(0) }];
        Assert.True(Decide(new NearDuplicateFilter(new NearDuplicateOptions()), samples)[1].Keep);
        Assert.False(Decide(new NearDuplicateFilter(new NearDuplicateOptions(Comparison.Image)), samples)[1].Keep);
    }

    [Theory]
    [InlineData("cafe\u0301 noir", "caf\u00e9 noir")]   // composed or not
    [InlineData("ＡＢＣ　１２", "abc 12")]               // wide forms
    public void Shingles_TextsThatReadTheSame_AreTheSame(string one, string other) =>
        Assert.True(new Shingles(2).Of([one]).SetEquals(new Shingles(2).Of([other])));

    [Fact]
    public void MinHash_Similarity_IsCloseToTheShareOfCommonShingles()
    {
        var one = Enumerable.Range(0, 1000).Select(i => MinHash.Mix((ulong)i)).ToHashSet();
        var other = Enumerable.Range(250, 1000).Select(i => MinHash.Mix((ulong)i)).ToHashSet();
        Assert.Equal(750.0 / 1250, MinHash.Similarity(MinHash.Of(one)!, MinHash.Of(other)!), 0.12);
    }

    [Fact]
    public void NearDuplicate_CroppedPicture_IsTheSame_AndAChangedDetailIsNot()
    {
        var decisions = Decide(new NearDuplicateFilter(new NearDuplicateOptions()),
            new Sample("a") { Image = Scene(0, 2) }, new Sample("cropped") { Image = Scene(0.03, 2) }, new Sample("moved") { Image = Scene(0, 5) });
        Assert.Equal([true, false, true], decisions.Select(decision => decision.Keep));
    }

    [Fact]
    public void PictureViews_OfOneColour_AreLikeEachOtherAlone()
    {
        PictureViews White() => new(Plain(20, 20, 255));
        Assert.Equal(1, White().Likeness(new PictureViews(Plain(30, 10, 128))));
        Assert.Equal(0, White().Likeness(new PictureViews(Waves(0))));
    }

    [Fact]
    public void PictureBands_PicturesThatCorrelateWith95Percent_AreFound()
    {
        var random = new Random(5);
        var bands = new PictureBands();
        float[] Unit(Func<int, double> value)
        {
            var values = Enumerable.Range(0, 192).Select(value).ToArray();
            var length = Math.Sqrt(values.Sum(part => part * part));
            return [.. values.Select(part => (float)(part / length))];
        }
        float[] Drawn() => Unit(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        var pictures = Enumerable.Range(0, 300).Select(_ => Drawn()).ToArray();
        for (var i = 0; i < pictures.Length; i++) bands.Add(pictures[i], i);

        var near = pictures.Select(picture =>
        {
            var other = Drawn();
            return Unit(i => 0.95 * picture[i] + Math.Sqrt(1 - 0.95 * 0.95) * other[i]);
        }).ToArray();
        Assert.InRange(Enumerable.Range(0, near.Length).Count(i => bands.Find(near[i]).Contains(i)), 285, 300);
        Assert.InRange(near.Average(picture => bands.Find(picture).Count), 1, 8);
    }

    /// <summary>A disc, a bar and a small square whose place is told, drawn at 64 pixels with a margin cut away.</summary>
    private static Picture Scene(double margin, int place) => new(64, 64, [.. Enumerable.Range(0, 64 * 64).SelectMany(i =>
    {
        var (x, y) = (8 * (margin + (1 - 2 * margin) * (i % 64 + 0.5) / 64), 8 * (margin + (1 - 2 * margin) * (i / 64 + 0.5) / 64));
        var ink = (x - 3) * (x - 3) + (y - 4) * (y - 4) < 4 || (y > 7 && x > 1) || (Math.Abs(x - 6.5) < 0.7 && Math.Abs(y - place) < 0.7);
        return ink ? new byte[] { 40, 60, 160 } : new byte[] { 255, 250, 240 };
    })]);
}
