using Filter.Alignment;
using Filter.Perplexity;
using Media.Image;
using Media.Wav;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;
using PluginHost.Sdk.Testing;

namespace Plugins.Data.Tests;

/// <summary>Filters that ask a trained run, over fakes of it.</summary>
public sealed class AlignmentTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // All media point along the first axis; a text is its cosine with them.
    private static FakeEmbeddingGenerator Space { get; } = new(content => content is TextContent text
        ? [Cosine(text.Text), MathF.Sqrt(1 - Cosine(text.Text) * Cosine(text.Text))]
        : ((DataContent)content).Data.Length == 3 ? throw new BadSampleException("three bytes are no picture") : [2, 0]);

    private static float Cosine(string text) => float.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static Sample Pair(string id, string cosine, string language = "en") => new(id)
    {
        Image = new Picture(1, 1, [1, 2, 3]),
        Texts = new Dictionary<string, string> { [language] = cosine },
    };

    private static List<FilterDecision> Decide(AlignmentOptions options, params Sample[] samples)
    {
        using var filter = new AlignmentFilter(options).Open(Surroundings.Filter(Space));
        foreach (var sample in samples) filter.Survey(sample);
        return [.. samples.Select(filter.Decide)];
    }

    [Fact]
    public void Alignment_BelowTheThreshold_IsDroppedWithCosineAndBound()
    {
        var decisions = Decide(new AlignmentOptions("run", Threshold: 0.5, Deviations: 0), Pair("a", "0.28"), Pair("b", "0.75"));
        Assert.Equal((false, "text 'en' does not fit the image: their cosine is 0.280, less than 0.500"), (decisions[0].Keep, decisions[0].Reason));
        Assert.Equal((true, "kept"), (decisions[1].Keep, decisions[1].Reason));
        Assert.Equal(0.28, decisions[0].Score, 5);
        Assert.Equal(0.5, decisions[0].Threshold);
    }

    [Fact]
    public void Alignment_Deviations_CountFromTheMedianOfTheLanguage()
    {
        // Median 0.7, absolute deviations 0.2 0.1 0 0.1 1.2 with median 0.1: the bound is 0.7 - 2 * 1.4826 * 0.1.
        var decisions = Decide(new AlignmentOptions("run", Deviations: 2, Fewest: 5), Pair("a", "0.9"), Pair("b", "0.8"), Pair("c", "0.7"), Pair("d", "0.6"), Pair("e", "-0.5"), Pair("f", "-0.9", "zh"));
        Assert.Equal([true, true, true, true, false, true], decisions.Select(decision => decision.Keep));
        Assert.All(decisions.Take(5), decision => Assert.Equal(0.40348, decision.Threshold, 5));
        Assert.Equal(-1, decisions[5].Threshold); // one caption of a language shows nothing
    }

    [Fact]
    public void Alignment_SeveralCaptions_AreOnlyAsGoodAsTheWorst()
    {
        var sample = Pair("a", "0.9") with { Texts = new Dictionary<string, string> { ["en"] = "0.9", ["zh"] = "0.1" } };
        Assert.StartsWith("text 'zh' does not fit", Decide(new AlignmentOptions("run", Threshold: 0.5), sample)[0].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Alignment_WithoutThePair_IsKept(bool picture)
    {
        var decision = Decide(new AlignmentOptions("run", Threshold: 0.5), picture ? Pair("a", " ") : Pair("a", "0.1") with { Image = null })[0];
        Assert.Equal((true, double.NaN, "no caption with a picture"), (decision.Keep, decision.Score, decision.Reason));
    }

    [Fact]
    public void Alignment_AMediumThatCannotBeEmbedded_CostsItsSampleAlone()
    {
        var bad = Pair("b", "0.9") with { Image = new MediaFile(folder.Write("b.png", [1, 2, 3])) };
        using var filter = new AlignmentFilter(new AlignmentOptions("run", Threshold: 0.5)).Open(Surroundings.Filter(Space));
        foreach (var sample in new[] { Pair("a", "0.9"), bad, Pair("c", "0.1") }) filter.Survey(sample);
        Assert.Equal("three bytes are no picture", Assert.Throws<BadSampleException>(() => filter.Decide(bad)).Message);
        Assert.Equal([true, false], new[] { "0.9", "0.1" }.Zip(new[] { "a", "c" }, (cosine, id) => filter.Decide(Pair(id, cosine)).Keep));
    }

    [Fact]
    public void Alignment_AFormatThatOnlyADecoderReads_IsDecodedFirst()
    {
        var sample = Pair("a", "0.9") with { Image = new MediaFile("drawing.xcf") };
        using var filter = new AlignmentFilter(new AlignmentOptions("run", Threshold: 0.5)).Open(Surroundings.Filter(Space, (_, modality, _) => modality == "image" ? new Picture(1, 1, [9, 9, 9]) : throw new InvalidOperationException(modality)));
        filter.Survey(sample);
        Assert.True(filter.Decide(sample).Keep);
    }

    [Fact]
    public void Alignment_WithoutWhatItRequires_SaysWhatIsMissing() =>
        Assert.Contains("No IEmbeddingGenerator", Assert.Throws<InvalidOperationException>(() => new AlignmentFilter(new AlignmentOptions()).Open(Surroundings.Filter())).Message, StringComparison.Ordinal);

    [Fact]
    public void Perplexity_OfARun_IsItsBitsACharacter()
    {
        // Two bits a character, but the odd text takes eight.
        var scorer = new FakeTextScorer(item => new TextScore(-Math.Log(2) * item.Text.Length * (item.Text.StartsWith("zq", StringComparison.Ordinal) ? 8 : 2), 1));
        var (usual, odd) = (Said("a", "a small brown dog in the garden"), Said("b", "zq xjv kkw qpz vvbn mmz qqx"));
        using var filter = new PerplexityFilter(new PerplexityOptions(Run: "run", Threshold: 4)).Open(Surroundings.Filter(scorer));
        filter.Survey(usual);
        filter.Survey(odd);
        Assert.Equal(2, filter.Decide(usual).Score, 9);
        Assert.Equal((false, "text 'en' takes 8.00 bits a character, more than 4.00: unlike the others in 'en'"), (filter.Decide(odd).Keep, filter.Decide(odd).Reason));
    }

    [Fact]
    public void Perplexity_OfARunWithADictionary_IsRefused() => Assert.Equal(
        "filter.perplexity: the decoder of a run judges texts of all languages, so that nothing is learnt from 'reference' or 'dictionary'; leave these out, or 'run'",
        Assert.Throws<UserErrorException>(() => new PerplexityFilter(new PerplexityOptions(Run: "run", Dictionary: "dict.txt")).Open(Surroundings.Filter(new FakeTextScorer()))).Message);

    [Fact]
    public void MediaData_OfAPicture_IsAPngOfIt()
    {
        byte[] top = [200, 10, 90], bottom = [0, 255, 30];
        var picture = new Picture(16, 16, [.. Enumerable.Range(0, 16 * 16).SelectMany(i => i < 128 ? top : bottom)]);
        var data = MediaData.Of(picture);
        var decoded = (Picture)new ImageMedia().Decode(folder.Write("a.png", data.Data.ToArray()), "image", new MediaFormat(16, 8000, 1), default);
        Assert.Equal(("image/png", (object)picture), (data.MediaType, data.RawRepresentation));
        Assert.Equal(top, decoded.Rgb[(3 * 16 * 3)..][..3]);
        Assert.Equal(bottom, decoded.Rgb[(3 * 16 * 12)..][..3]);
    }

    [Fact]
    public void MediaData_OfASound_IsAWavOfIt()
    {
        var sound = new Sound(8000, [.. Enumerable.Range(0, 800).Select(i => (float)Math.Sin(i * 0.1))]);
        var decoded = (Sound)new WavMedia().Decode(folder.Write("a.wav", MediaData.Of(sound).Data.ToArray()), "audio", new MediaFormat(16, 8000, 1), default);
        Assert.Equal(8000, decoded.Rate);
        Assert.All(sound.Samples.Zip(decoded.Samples), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void MediaData_OfFiles_IsTheirBytes()
    {
        var path = folder.Write("a.jpg", [1, 2, 3, 4, 5]);
        Assert.Equal(("image/jpeg", 5), (MediaData.Of(new MediaFile(path)).MediaType, MediaData.Of(new MediaFile(path)).Data.Length));
        Assert.Equal([2, 3], MediaData.Of(new MediaPart(path, 1, 2, ".png")).Data.ToArray());
        Assert.Contains("cannot be read", Assert.Throws<BadSampleException>(() => MediaData.Of(new MediaFile(path + ".png"))).Message, StringComparison.Ordinal);
        Assert.False(MediaData.Takes(new MediaFile("a.xcf")));
    }

    private static Sample Said(string id, string text) => new(id) { Texts = new Dictionary<string, string> { ["en"] = text } };
}
