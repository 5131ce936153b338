using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class LoadingTests
{
    private static readonly MediaFile Png = new("/somewhere/a.PNG"), Ogg = new("/somewhere/a.ogg"), Mp4 = new("/somewhere/a.mp4");

    private static MediaContent Content(string modality) => modality == "image" ? Make.Picture() : Make.Sound();

    private static Dataset With(IReadOnlyList<MediaPlugin> media, params Sample?[] samples) => Make.Dataset(new ListSource(samples), media: media);

    [Fact]
    public void Samples_AreLoadedInOrder_UpToTheLimit()
    {
        var data = With([], Make.Sample("1"), null, Make.Sample("3"), Make.Sample("4"));
        Assert.Equal(["1", "3"], data.Load("train", 2, []).Select(sample => sample.Id));
        Assert.Equal(["1", "3", "4"], data.Load("train", 0, []).Select(sample => sample.Id));
        Assert.Equal("train[1]", Assert.Single(data.Rejections).Id);
        Assert.Empty(data.Load("test", 0, []));
    }

    [Fact]
    public void Requirements_ChooseSamples()
    {
        var data = With([], Make.Sample("both") with { Audio = Make.Sound() }, Make.Sample("seen"), new Sample("told") { Texts = new Dictionary<string, string> { ["zh"] = "猫" } });
        Assert.Equal(["both"], data.Load("train", 0, ["image", "audio"]).Select(sample => sample.Id));
        Assert.Equal(["both", "seen"], data.Load("train", 0, ["image"]).Select(sample => sample.Id));
        Assert.Equal(3, data.Load("train", 0, ["text.zh"]).Count);
        Assert.Equal(2, data.Load("train", 0, ["text.en"]).Count);
        Assert.Contains("it can name image, audio", Assert.Throws<UserErrorException>(() => data.Load("train", 0, ["imag"])).Message);
    }

    [Fact]
    public void Decoder_IsTheFirstThatNamesTheExtension_AndElseTheFirstThatTakesAll()
    {
        FakeDecoder all = new(Content), png = new(Content), second = new(Content);
        var data = With([new("media.all", ["*"], all), new("media.png", [".png"], png), new("media.second", [".png"], second)], new Sample("1") { Image = Png, Audio = Ogg });
        Assert.Single(data.Load("train", 0, []));
        Assert.Equal(["image:a.PNG"], png.Asked);
        Assert.Equal(["audio:a.ogg"], all.Asked);
        Assert.Empty(second.Asked);
    }

    [Fact]
    public void DecodedMedia_AreRemembered()
    {
        var decoder = new FakeDecoder(Content);
        var data = With([new("media.all", ["*"], decoder)], new Sample("1") { Image = Png });
        data.Load("train", 0, []);
        data.Load("train", 0, []);
        Assert.Single(decoder.Asked);
    }

    [Fact]
    public void UnknownFormat_GoesToTheDecoderOfEverythingElse()
    {
        var named = new FakeDecoder(_ => throw new BadSampleException("no Vorbis") { UnknownFormat = true });
        var library = new MediaLibrary([new("media.all", ["*"], new FakeDecoder(Content)), new("media.named", [".png"], named)], new MediaFormat(8, 2000, 0.1), rememberedBytes: 300);
        Assert.NotNull(library.Decode(new Sample("s") { Image = Png }, ["image"], default).Image);
        Assert.Single(named.Asked);
    }

    [Fact]
    public void UnknownFormat_ThatNobodyKnows_IsRefusedWithBothReasons()
    {
        FakeDecoder Refusing(string reason) => new(_ => throw new BadSampleException(reason) { UnknownFormat = true });
        var library = new MediaLibrary([new("media.named", [".png"], Refusing("no Vorbis")), new("media.all", ["*"], Refusing("no ffmpeg"))], new MediaFormat(8, 2000, 0.1), rememberedBytes: 300);
        Assert.Equal("no Vorbis; no ffmpeg", Assert.Throws<BadSampleException>(() => library.Decode(new Sample("s") { Image = Png }, ["image"], default)).Message);
    }

    [Fact]
    public void DamagedFile_IsNotTriedByAnother()
    {
        var general = new FakeDecoder(Content);
        var library = new MediaLibrary([new("media.named", [".png"], new FakeDecoder(_ => throw new BadSampleException("truncated"))), new("media.all", ["*"], general)], new MediaFormat(8, 2000, 0.1), rememberedBytes: 300);
        Assert.Throws<BadSampleException>(() => library.Decode(new Sample("s") { Image = Png }, ["image"], default));
        Assert.Empty(general.Asked);
    }

    [Fact]
    public void MediaBeyondTheRoom_AreDecodedAgain()
    {
        var decoder = new FakeDecoder(Content);
        var library = new MediaLibrary([new("media.all", ["*"], decoder)], new MediaFormat(8, 2000, 0.1), rememberedBytes: 300);
        foreach (var file in (MediaFile[])[new("/1.png"), new("/2.png"), new("/1.png"), new("/2.png")]) library.Decode(new Sample("s") { Image = file }, ["image"], default);
        Assert.Equal(["image:1.png", "image:2.png", "image:2.png"], decoder.Asked); // a picture takes 192 bytes
    }

    [Fact]
    public void DecodedMedia_ServeEveryFormInWhichTheyAreTheSame()
    {
        var decoder = new FakeDecoder(modality => modality == "image" ? Make.Picture() : Make.Sound(150)); // shorter than the 200 samples of the form
        var media = new MediaDecoding([new("media.all", ["*"], decoder)], new MediaFormat(8, 2000, 0.1));
        media.Check(new Sample("1") { Image = Png, Audio = Ogg }, default);
        media.Decode(Png, "image", new MediaFormat(8, 8000, 60), default);
        media.Decode(Ogg, "audio", new MediaFormat(64, 2000, 60), default);
        Assert.Equal(2, decoder.Asked.Count);
        media.Decode(Png, "image", new MediaFormat(16, 2000, 0.1), default);
        media.Decode(Ogg, "audio", new MediaFormat(8, 2000, 0.05), default);
        media.Decode(Ogg, "audio", new MediaFormat(8, 4000, 0.1), default);
        Assert.Equal(5, decoder.Asked.Count);
    }

    [Fact]
    public void SoundThatWasCut_IsDecodedAgainForALongerForm()
    {
        var decoder = new FakeDecoder(_ => Make.Sound(200));
        var media = new MediaDecoding([new("media.all", ["*"], decoder)], new MediaFormat(8, 2000, 0.1));
        media.Check(new Sample("1") { Audio = Ogg }, default);
        media.Decode(Ogg, "audio", new MediaFormat(8, 2000, 60), default);
        Assert.Equal(2, decoder.Asked.Count);
    }

    [Fact]
    public void BadMedium_DropsItsSample_AndIsNotTriedAgain()
    {
        var decoder = new FakeDecoder(_ => throw new BadSampleException("/somewhere/a.PNG: truncated"));
        var data = With([new("media.all", ["*"], decoder)], new Sample("1") { Image = Png }, Make.Sample("2"));
        Assert.Equal("2", Assert.Single(data.Load("train", 0, [])).Id);
        data.Load("train", 0, []);
        Assert.Single(decoder.Asked);
        Assert.Equal([new Rejection("1", "/somewhere/a.PNG: truncated")], data.Rejections);
    }

    [Fact]
    public void Video_StandsInForPictureAndSound()
    {
        var data = With([new("media.all", ["*"], new FakeDecoder(Content))], new Sample("1") { Video = Mp4 });
        var sample = Assert.Single(data.Load("train", 0, ["image", "audio"]));
        Assert.IsType<Picture>(sample.Image);
        Assert.IsType<Sound>(sample.Audio);
    }

    [Fact]
    public void SilentVideo_IsNoBadSample()
    {
        var data = With([new("media.all", ["*"], new FakeDecoder(modality => modality == "image" ? Make.Picture() : throw new BadSampleException("silent")))], new Sample("1") { Video = Mp4 });
        Assert.Null(Assert.Single(data.Load("train", 0, ["image"])).Audio);
        Assert.Empty(data.Load("train", 0, ["audio"]));
        Assert.Empty(data.Rejections);
    }

    [Fact]
    public void UnknownExtension_NamesTheDecodersThereAre()
    {
        var data = With([new("media.wav", [".wav"], new FakeDecoder(Content))], new Sample("1") { Audio = Ogg });
        Assert.Empty(data.Load("train", 0, []));
        Assert.Contains("no media plugin takes '.ogg' files; there are media.wav (.wav)", Assert.Single(data.Rejections).Reason);
    }

    [Fact]
    public void ContentOfAnotherForm_IsRefused()
    {
        var data = With([], Make.Sample("1") with { Image = new Picture(4, 4, new byte[48]) }, Make.Sample("2") with { Audio = new Sound(8000, [0]) });
        Assert.Empty(data.Load("train", 0, []));
        Assert.Contains("4x4 where 8x8", data.Rejections[0].Reason);
        Assert.Contains("8000 Hz where 2000 Hz", data.Rejections[1].Reason);
    }

    [Fact]
    public void Corpus_HasCaptionsPromptsAndAnswers_OfTheFirstSamples() =>
        Assert.Equal(["cat 1", "猫", "p1", "a", "cat 3", "猫", "p3", "a"], Dataset.Corpus(new ListSource(Make.Sample("1"), null, Make.Sample("3"), Make.Sample("4")), 3));

    [Fact]
    public void Dataset_Disposed_ClosesItsSource()
    {
        var source = new ListSource();
        Make.Dataset(source).Dispose();
        Assert.True(source.Disposed);
    }
}
