using PluginHost.Sdk;
using Transform.Audio;
using Transform.Image;
using Transform.Text;
using Transform.Video;

namespace Plugins.Data.Tests;

public class TransformTests
{
    private static readonly Picture Noise = new(40, 30, [.. Enumerable.Range(0, 40 * 30 * 3).Select(i => (byte)(i * 7919 % 251))]);

    private static Sample Seen(string caption = "a dog", params Turn[] turns) =>
        new("seen") { Image = Noise, Texts = new Dictionary<string, string> { ["en"] = caption }, Turns = turns };

    private static Sample Heard(int length = 4000, double hertz = 440, int rate = 8000) =>
        new("heard") { Audio = new Sound(rate, [.. Enumerable.Range(0, length).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * hertz * i / rate)))]) };

    private static byte[] Rgb(Sample sample) => ((Picture)sample.Image!).Rgb;

    private static float[] Wave(Sample sample) => ((Sound)sample.Audio!).Samples;

    /// <summary>A generator that always draws one value.</summary>
    private sealed class Always(double value) : Random
    {
        public override double NextDouble() => value;

        public override int Next(int maxValue) => Math.Min((int)(value * maxValue), maxValue - 1);

        public override int Next(int minValue, int maxValue) => minValue + Next(maxValue - minValue);
    }

    [Fact]
    public void Rotate_NoAngle_IsTheIdentity_AndWhiteComesIn()
    {
        Assert.Equal(Noise.Rgb, Rgb(new RotateTransform(new RotateOptions(45)).Apply(Seen(), new Always(0.5))));
        Assert.Equal([255, 255, 255], Rgb(new RotateTransform(new RotateOptions(45)).Apply(Seen(), new Always(0)))[..3]);
    }

    [Fact]
    public void Rotate_PositiveAngle_MovesWhatIsOnTopToTheLeftOrRightAsOneBody()
    {
        var black = new byte[41 * 41 * 3];
        black[3 * (5 * 41 + 20)] = 255; // red above the middle
        var turned = Rgb(new RotateTransform(new RotateOptions(45)).Apply(new Sample("dot") { Image = new Picture(41, 41, black) }, new Always(1 - 1e-9)));
        var reds = Enumerable.Range(0, 41 * 41).Where(i => turned[3 * i] > 60 && turned[3 * i + 1] == 0).Select(i => (X: i % 41 - 20, Y: i / 41 - 20)).ToArray();
        Assert.NotEmpty(reds);
        Assert.All(reds, red => Assert.InRange(Math.Sqrt(red.X * red.X + red.Y * red.Y), 13.5, 16.5));
        Assert.All(reds, red => Assert.InRange(Math.Abs(Math.Abs(red.X) + red.Y), 0, 1));
    }

    [Fact]
    public void Crop_WholeArea_IsTheIdentity_AndAPartIsMagnified()
    {
        Assert.Equal(Noise.Rgb, Rgb(new CropTransform(new CropOptions(1, 1)).Apply(Seen(), new Random(1))));
        var half = new Sample("half") { Image = new Picture(8, 8, [.. Enumerable.Range(0, 64).SelectMany(i => Enumerable.Repeat((byte)(i % 8 < 4 ? 0 : 200), 3))]) };
        var cropped = Rgb(new CropTransform(new CropOptions(0.25, 1)).Apply(half, new Always(0)));
        Assert.All(cropped[..(8 * 3)][..18], value => Assert.Equal(0, value)); // the left quarter of the width fills nearly all of it
    }

    [Fact]
    public void Flip_Twice_IsTheIdentity()
    {
        foreach (var axis in Enum.GetValues<FlipAxis>())
        {
            var flip = new FlipTransform(new FlipOptions(axis));
            var once = flip.Apply(Seen(), new Random(1));
            Assert.NotEqual(Noise.Rgb, Rgb(once));
            Assert.Equal(Noise.Rgb, Rgb(flip.Apply(once, new Random(1))));
        }
    }

    [Theory]
    [InlineData("a ball left of a box", "", true)]
    [InlineData("a ball", "what is to the RIGHT?", true)]
    [InlineData("圆在左边", "", true)]
    [InlineData("a bright leftover ball", "what is that?", false)]
    public void Flip_WhatWouldBecomeUntrue_IsLeftAsItIs(string caption, string prompt, bool spared)
    {
        var sample = Seen(caption, new Turn("q", prompt, "it"));
        Assert.Equal(spared, ReferenceEquals(sample, new FlipTransform(new FlipOptions()).Apply(sample, new Random(1))));
    }

    [Fact]
    public void Spare_OwnWords_ReplaceTheUsualOnes()
    {
        var flip = new FlipTransform(new FlipOptions(Spare: ["port"]));
        Assert.NotEqual(Noise.Rgb, Rgb(flip.Apply(Seen("left"), new Random(1))));
        Assert.Equal(Noise.Rgb, Rgb(flip.Apply(Seen("to port"), new Random(1))));
        Assert.Equal(Noise.Rgb, Rgb(new EraseTransform(new EraseOptions()).Apply(Seen("a", new Turn("count", "how many dogs?", "2")), new Random(1))));
        Assert.Equal(Noise.Rgb, Rgb(new CropTransform(new CropOptions()).Apply(Seen("a", new Turn("count", "how many dogs?", "2")), new Random(1))));
    }

    [Fact]
    public void Colour_NoChange_IsTheIdentity_AndHueSparesColours()
    {
        Assert.Equal(Noise.Rgb, Rgb(new ColourTransform(new ColourOptions(0, 0, 0, 0)).Apply(Seen(), new Random(1))));
        var hue = new ColourTransform(new ColourOptions(0, 0, 0, 120));
        Assert.Equal(Noise.Rgb, Rgb(hue.Apply(Seen("a red dog"), new Random(1))));
        Assert.NotEqual(Noise.Rgb, Rgb(hue.Apply(Seen(), new Random(1))));
    }

    [Fact]
    public void Colour_HueTurned_KeepsTheLumaOfAMiddlingColour()
    {
        static double Luma(byte[] rgb) => 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        var pixel = new Sample("grey") { Image = new Picture(1, 1, [140, 120, 110]) };
        var turned = Rgb(new ColourTransform(new ColourOptions(0, 0, 0, 90)).Apply(pixel, new Always(1 - 1e-9)));
        Assert.NotEqual([140, 120, 110], turned);
        Assert.InRange(Luma(turned) - Luma([140, 120, 110]), -1.5, 1.5);
    }

    [Fact]
    public void Erase_ChangesOneRectangle_OfTheAllowedArea()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var erased = Rgb(new EraseTransform(new EraseOptions(0.2)).Apply(Seen(), new Random(seed)));
            var changed = Enumerable.Range(0, 1200).Where(i => !erased.AsSpan(3 * i, 3).SequenceEqual(Noise.Rgb.AsSpan(3 * i, 3))).ToArray();
            var (left, right, top, bottom) = (changed.Min(i => i % 40), changed.Max(i => i % 40), changed.Min(i => i / 40), changed.Max(i => i / 40));
            var area = (right - left + 1) * (bottom - top + 1);
            Assert.InRange(area / 1200.0, 0.005, 0.21);
            Assert.InRange(changed.Length, area * 0.9, area);
        }
    }

    [Theory]
    [InlineData(NoiseColour.White)]
    [InlineData(NoiseColour.Pink)]
    [InlineData(NoiseColour.Brown)]
    public void Noise_HasExactlyTheChosenRatio(NoiseColour colour)
    {
        foreach (var wanted in new[] { -5.0, 0, 10, 30 })
        {
            var (before, after) = (Wave(Heard()), Wave(new NoiseTransform(new NoiseOptions(wanted, 0, colour)).Apply(Heard(), new Random(3))));
            Assert.InRange(after.Max(Math.Abs), 0, 1);
            // What was made quieter to fit is known where only the signal is: the factor that leaves the noise uncorrelated is not
            // exactly known, so the mixture is rebuilt from the same random numbers at a level that fits.
            var quiet = Heard() with { Audio = new Sound(8000, [.. before.Select(value => value / 100)]) };
            var mixed = Wave(new NoiseTransform(new NoiseOptions(wanted, 0, colour)).Apply(quiet, new Random(3)));
            var noise = mixed.Zip(Wave(quiet), (y, x) => y - x).ToArray();
            var ratio = 10 * Math.Log10(Wave(quiet).Sum(x => (double)x * x) / noise.Sum(n => (double)n * n));
            Assert.Equal(wanted, ratio, 3);
        }
    }

    [Fact]
    public void Noise_OverSilence_LeavesItSilent() =>
        Assert.All(Wave(new NoiseTransform(new NoiseOptions()).Apply(new Sample("still") { Audio = new Sound(8000, new float[100]) }, new Random(1))), value => Assert.Equal(0, value));

    [Fact]
    public void Noise_Pink_HasMorePowerInLowFrequenciesThanWhite()
    {
        // The difference of neighbours is a high-pass filter.
        static double Roughness(NoiseColour colour)
        {
            var quiet = new Sample("tone") { Audio = new Sound(8000, [.. Enumerable.Repeat(1e-4f, 8000)]) };
            var noise = Wave(new NoiseTransform(new NoiseOptions(-20, 0, colour)).Apply(quiet, new Random(5)));
            return noise.Zip(noise.Skip(1), (a, b) => Math.Pow(b - a, 2)).Sum() / noise.Sum(value => Math.Pow(value, 2));
        }
        Assert.True(Roughness(NoiseColour.Brown) < Roughness(NoiseColour.Pink) && Roughness(NoiseColour.Pink) < 0.7 * Roughness(NoiseColour.White));
    }

    [Fact]
    public void Gain_OfSixDecibels_DoublesAndNeverClips()
    {
        Assert.Equal(0.5 * Math.Pow(10, -6 / 20.0), Wave(new GainTransform(new GainOptions(6)).Apply(Heard(), new Always(0))).Max(), 3);
        var loud = Wave(new GainTransform(new GainOptions(20)).Apply(Heard(), new Always(1 - 1e-9)));
        Assert.Equal(1, loud.Max(), 3);
        Assert.Equal(Wave(Heard())[10] * 2, loud[10], 3); // as a whole, not cut off at the top
    }

    [Fact]
    public void Shift_MovesAndFillsWithSilence()
    {
        var later = Wave(new ShiftTransform(new ShiftOptions(0.1)).Apply(Heard(), new Always(1 - 1e-9)));
        Assert.Equal(Wave(Heard())[..3200], later[800..]);
        Assert.All(later[..800], value => Assert.Equal(0, value));
        var earlier = Wave(new ShiftTransform(new ShiftOptions(0.1)).Apply(Heard(), new Always(0)));
        Assert.Equal(Wave(Heard())[800..], earlier[..3200]);
    }

    [Fact]
    public void Speed_RaisesThePitchByTheSameFactor()
    {
        var faster = Wave(new SpeedTransform(new SpeedOptions(0.25)).Apply(Heard(), new Always(1 - 1e-9)));
        Assert.Equal(3200, faster.Length);
        var expected = Wave(Heard(3200, 550));
        Assert.All(Enumerable.Range(50, 3000), i => Assert.InRange(faster[i] - expected[i], -0.02, 0.02));
    }

    [Fact]
    public void SpecAugment_NoMasks_GivesTheSoundBack_AndABandTakesItsToneAway()
    {
        var same = Wave(new SpecAugmentTransform(new SpecAugmentOptions(0, 0, 0, 0)).Apply(Heard(), new Random(1)));
        Assert.All(Wave(Heard()).Zip(same), pair => Assert.InRange(pair.First - pair.Second, -1e-4, 1e-4));
        // Half of all frequencies, from the lowest on: the tone is among them.
        var silenced = Wave(new SpecAugmentTransform(new SpecAugmentOptions(1, 0.5, 0, 0)).Apply(Heard(), new FirstHalf()));
        Assert.InRange(silenced[500..3500].Max(Math.Abs), 0, 0.01);
    }

    private sealed class FirstHalf : Random
    {
        private int draws;

        public override int Next(int maxValue) => draws++ == 0 ? maxValue - 1 : 0;
    }

    [Fact]
    public void Synonym_RateOne_ChangesWordsOfOneMeaning_AndEnglishCaptionsAlone()
    {
        var sample = new Sample("s") { Texts = new Dictionary<string, string> { ["en"] = "a motorcar and a sofa by the run", ["fr"] = "un sofa" }, Turns = [new Turn("q", "sofa?", "sofa")] };
        var changed = new SynonymTransform(new SynonymOptions(Rate: 1, MostSenses: 1)).Apply(sample, new Random(2));
        Assert.Matches("^a (car|auto|automobile|machine) and a (couch|lounge) by the run$", changed.Texts["en"]);
        Assert.Equal("un sofa", changed.Texts["fr"]);
        Assert.Equal(("sofa?", "sofa"), (changed.Turns[0].Prompt, changed.Turns[0].Answer));
    }

    [Fact]
    public void Synonym_DatabaseMissing_NamesThePackage()
    {
        var transform = new SynonymTransform(new SynonymOptions(Rate: 1, WordNet: "/nowhere"));
        Assert.Contains("apt-get install wordnet-base", Assert.Throws<UserErrorException>(() => transform.Apply(Seen("a sofa"), new Random(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SentencePattern_SaysTheCaptionInItsLanguage()
    {
        var sample = new Sample("s") { Texts = new Dictionary<string, string> { ["en"] = "a dog", ["de"] = "ein Hund", ["zh"] = "狗" }, Turns = [new Turn("q", "what?", "dog")] };
        var transform = new SentencePatternTransform(new SentencePatternOptions(["en: look: {text}!", "zh:看{text}"], ["please: {text}"]));
        var changed = transform.Apply(sample, new Random(1));
        Assert.Equal(["ein Hund", "look: a dog!", "看狗"], changed.Texts.OrderBy(text => text.Key).Select(text => text.Value));
        Assert.Equal("please: what?", changed.Turns[0].Prompt);
        Assert.Equal("dog", changed.Turns[0].Answer);
    }

    [Theory]
    [InlineData("a picture of {text}", "does not begin with a language and a colon")]
    [InlineData("en: a picture", "has no {text}")]
    public void SentencePattern_WrongPattern_IsRefused(string pattern, string what) =>
        Assert.Contains($"'{pattern}' {what}".Replace("'en: a picture'", "'a picture'", StringComparison.Ordinal), Assert.Throws<UserErrorException>(() => new SentencePatternTransform(new SentencePatternOptions([pattern]))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("one two three four five", ' ')]
    [InlineData("一二三四五", '\0')]
    public void TokenDropout_LeavesASubsequence_OfAtLeastOneWord(string caption, char space)
    {
        string[] Split(string text) => space == ' ' ? text.Split(' ') : [.. text.Select(letter => letter.ToString())];
        var sample = new Sample("s") { Texts = new Dictionary<string, string> { ["en"] = caption } };
        var counts = new List<int>();
        for (var seed = 0; seed < 200; seed++)
        {
            var words = Split(new TokenDropoutTransform(new TokenDropoutOptions(0.5)).Apply(sample, new Random(seed)).Texts["en"]);
            Assert.Equal(Split(caption).Where(words.Contains), words);
            counts.Add(words.Length);
        }
        Assert.Equal(1, counts.Min());
        Assert.InRange(counts.Average(), 2.6, 3.4); // one stays, of the other four a half
    }

    [Fact]
    public void FrameDrop_AndTemporalCrop_KeepFramesWithTheirTimes()
    {
        var clip = new Clip(1, 1, [.. Enumerable.Range(0, 20).Select(i => new[] { (byte)i, (byte)0, (byte)0 })], [.. Enumerable.Range(0, 20).Select(i => i / 10.0)]);
        var dropped = (Clip)new FrameDropTransform(new FrameDropOptions(0.5)).Apply(new Sample("v") { Video = clip }, new Random(1)).Video!;
        Assert.InRange(dropped.Frames.Count, 4, 16);
        Assert.All(dropped.Frames.Zip(dropped.Times), pair => Assert.Equal(pair.First[0] / 10.0, pair.Second));
        var cropped = (Clip)new TemporalCropTransform(new TemporalCropOptions(0.5)).Apply(new Sample("v") { Video = clip }, new Random(1)).Video!;
        Assert.InRange(cropped.Frames.Count, 10, 20);
        Assert.Equal(0, cropped.Times[0]);
        Assert.Equal(Enumerable.Range(cropped.Frames[0][0], cropped.Frames.Count), cropped.Frames.Select(frame => (int)frame[0]));
    }
}
