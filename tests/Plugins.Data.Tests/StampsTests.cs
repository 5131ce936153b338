using PluginHost.Data;
using PluginHost.Sdk;
using Source.Stamps;

namespace Plugins.Data.Tests;

public sealed class StampsTests : IDisposable
{
    private const string Installed = "/usr/share/tuxpaint/stamps";
    private readonly TemporaryFolder folder = new();
    private readonly RejectionLog log = new();

    public void Dispose() => folder.Dispose();

    private ISource Open(StampsOptions options) => new StampsSource(options).Open(Surroundings.Source(log, folder.Path));

    private ISource OpenMade(StampsOptions options)
    {
        folder.Write("animals/cat.png", "png");
        folder.Write("animals/cat.txt", "A cat.\nfr.utf8=Un chat.\nzh_CN.utf8=一只猫。\nzh_TW.utf8=貓\n");
        folder.Write("animals/cat_desc_fr.ogg", "voice");
        folder.Write("animals/cat.ogg", "meow");
        folder.Write("animals/cat_mirror.png", "png");
        folder.Write("animals/cat.dat", "");
        folder.Write("symbols/one.png", "png");
        folder.Write("symbols/one.txt", "One.\n");
        folder.Write("symbols/drawn.svg", "svg");
        folder.Write("symbols/drawn.txt", "Drawn.\n");
        folder.Write("town/bare.png", "png");
        return Open(options);
    }

    private static IEnumerable<Sample> All(ISource source) => source.Splits.SelectMany(split => Enumerable.Range(0, source.Count(split)).Select(index => source.Read(split, index)));

    [Fact]
    public void Folder_Read_GivesTrueStampsWithCaptionsAndVoices()
    {
        var samples = All(OpenMade(new StampsOptions(Folder: "."))).OrderBy(sample => sample.Id).ToList();
        Assert.Equal(["animals/cat", "symbols/one"], samples.Select(sample => sample.Id));
        Assert.Equal("A cat.", samples[0].Texts["en"]);
        Assert.Equal("Un chat.", samples[0].Texts["fr"]);
        Assert.Equal("一只猫。", samples[0].Texts["zh"]);
        Assert.EndsWith("cat_desc_fr.ogg", ((MediaFile)samples[0].Audio!).Path);
        Assert.Equal([("caption.en", "A cat."), ("caption.zh", "一只猫。"), ("caption.fr", "Un chat."), ("category", "animals"), ("voice", "Un chat.")],
            samples[0].Turns.Select(turn => (turn.Task, turn.Answer)));
        Assert.Equal(["audio"], samples[0].Turns[^1].Needs);
        Assert.Null(samples[1].Audio);
        Assert.DoesNotContain(samples[1].Turns, turn => turn.Task == "voice");
    }

    [Fact]
    public void Folder_Read_CountsWhatItLeavesOut()
    {
        OpenMade(new StampsOptions(Folder: "."));
        Assert.Equal([new Rejection("*.svg", "1 stamps exist only as SVG and are left out"), new Rejection("*.png", "1 pictures have no caption and are left out")], log.Entries);
    }

    [Fact]
    public void SoundEffects_TakeThePlaceOfVoices()
    {
        var cat = All(OpenMade(new StampsOptions(Folder: ".", Sound: StampSound.Effect))).Single(sample => sample.Id == "animals/cat");
        Assert.EndsWith("cat.ogg", ((MediaFile)cat.Audio!).Path);
        Assert.Equal(("sound", "A cat."), (cat.Turns[^1].Task, cat.Turns[^1].Answer));
    }

    [Fact]
    public void Settings_ChooseLanguagesAndLeaveSymbolsOut()
    {
        var sample = Assert.Single(All(OpenMade(new StampsOptions(Folder: ".", Languages: ["zh_TW"], Symbols: false))));
        Assert.Equal(["zh_TW"], sample.Texts.Keys);
    }

    [Fact]
    public void Fingerprint_FollowsTheFiles()
    {
        var before = OpenMade(new StampsOptions(Folder: ".")).Fingerprint;
        Assert.Equal(before, OpenMade(new StampsOptions(Folder: ".")).Fingerprint);
        folder.Write("animals/cat.txt", "A big cat.\n");
        Assert.NotEqual(before, Open(new StampsOptions(Folder: ".")).Fingerprint);
    }

    [Fact]
    public void MissingFolder_SaysWhatToInstall()
    {
        var error = Assert.Throws<UserErrorException>(() => Open(new StampsOptions(Folder: "nowhere")));
        Assert.Contains("apt-get install tuxpaint-stamps-default", error.Message);
    }

    [Fact]
    public void EmptyFolder_IsRefused() => Assert.Contains("no PNG picture", Assert.Throws<UserErrorException>(() => Open(new StampsOptions(Folder: "."))).Message);

    [SkippableFact]
    public void InstalledStamps_AreThoseCounted()
    {
        Skip.IfNot(Directory.Exists(Installed), "needs the stamps: apt-get install tuxpaint-stamps-default");
        var source = Open(new StampsOptions());
        Assert.Equal((596, 27, 162), (source.Count("train"), source.Count("validation"), source.Count("test")));
        Assert.Contains(log.Entries, entry => entry.Reason == "165 stamps exist only as SVG and are left out");
    }

    [SkippableFact]
    public void InstalledStamps_Loaded_HavePicturesAndVoices()
    {
        Skip.IfNot(Directory.Exists(Installed), "needs the stamps: apt-get install tuxpaint-stamps-default");
        FfmpegTests.NeedFfmpeg();
        var config = new PluginHost.Config.DataConfig { Sources = [], ImageSize = 48 };
        var source = new StampsSource(new StampsOptions()).Open(Surroundings.Source(log, format: Dataset.FormatOf(config)));
        MediaPlugin[] media = [new("media.image", [".png"], new Media.Image.ImageMedia()), new("media.ffmpeg", ["*"], new Media.Ffmpeg.FfmpegMedia())];
        using var data = new Dataset(config, source, media, log, TorchSharp.torch.CPU);
        var samples = data.Load("test", 8, ["image", "audio", "text.fr"]);
        Assert.Equal(8, samples.Count);
        Assert.All(samples, sample => Assert.True(((Sound)sample.Audio!).Samples.Max() > 0.01f));
        Assert.All(samples, sample => Assert.True(((Picture)sample.Image!).Rgb.Distinct().Count() > 2));
    }
}
