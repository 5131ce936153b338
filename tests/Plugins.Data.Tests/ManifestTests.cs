using System.Text;
using PluginHost.Data;
using PluginHost.Sdk;
using Source.Manifest;

namespace Plugins.Data.Tests;

public sealed class ManifestTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly RejectionLog log = new();

    public void Dispose() => folder.Dispose();

    private ISource Open(ManifestOptions? options = null) => new ManifestSource(options ?? new ManifestOptions()).Open(Surroundings.Source(log, folder.Path));

    private static List<Sample> All(ISource source) => [.. source.Splits.SelectMany(split => Enumerable.Range(0, source.Count(split)).Select(index => source.Read(split, index))).OrderBy(sample => sample.Id, StringComparer.Ordinal)];

    private List<Sample> Read(params string[] rows)
    {
        folder.Write("manifest.jsonl", string.Join('\n', rows));
        return All(Open());
    }

    /// <summary>The reason for which one row is left out beside two good ones.</summary>
    private string ReasonFor(byte[] row)
    {
        folder.Write("manifest.jsonl", [.. "{\"id\":\"good\",\"text\":\"a\"}\n{\"id\":\"good too\",\"text\":\"b\"}\n"u8, .. row, .. "\n"u8]);
        Assert.Equal(["good", "good too"], All(Open()).Select(sample => sample.Id));
        var rejection = Assert.Single(log.Entries);
        Assert.EndsWith("manifest.jsonl(3)", rejection.Id);
        return rejection.Reason;
    }

    private string ReasonFor(string row) => ReasonFor(Encoding.UTF8.GetBytes(row));

    [Fact]
    public void Row_WithEverything_IsRead()
    {
        var image = folder.Write("media/a.png", "x");
        var audio = folder.Write("media/a.wav", "x");
        var sample = Assert.Single(Read("""{"id":"s","text":{"en":"a cat","zh":"猫"},"image_path":"media/a.png","audio_path":"media/a.wav","modality_weights":{"image":0.5},"turns":[{"task":"t","prompt":"p","answer":"a"}],"other":1}"""));
        Assert.Equal(("a cat", "猫"), (sample.Texts["en"], sample.Texts["zh"]));
        Assert.Equal((image, audio), (((MediaFile)sample.Image!).Path, ((MediaFile)sample.Audio!).Path));
        Assert.Equal(0.5, sample.ModalityWeights["image"]);
        var turn = Assert.Single(sample.Turns);
        Assert.Equal(("t", "p", "a"), (turn.Task, turn.Prompt, turn.Answer));
        Assert.Equal(["image", "audio"], turn.Needs);
    }

    [Fact]
    public void Row_WithoutTurns_AsksForItsCaptions()
    {
        folder.Write("a.mp4", "x");
        var sample = Assert.Single(Read("""{"text":"a cat","video_path":"a.mp4"}"""));
        Assert.Equal("a.mp4", sample.Id);
        Assert.Equal(("caption.en", "a cat"), (sample.Turns[0].Task, sample.Turns[0].Answer));
        Assert.Equal(["video"], sample.Turns[0].Needs);
    }

    private const string Cues = "00:01.000 --> 00:02.500\nhello\n\n00:03.000 --> 00:04.000\nbye\n";

    [Fact]
    public void Video_WithSubtitles_IsASampleForEachOfThem()
    {
        var path = folder.Write("a.mp4", "x");
        folder.Write("en.srt", Cues);
        folder.Write("zh.vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\n你好\n");
        var samples = Read("""{"video_path":"a.mp4","subtitles_path":{"en":"en.srt","zh":"zh.vtt"},"modality_weights":{"video":2}}""");
        Assert.Equal(["a.mp4#1-2.5", "a.mp4#3-4"], samples.Select(sample => sample.Id));
        Assert.Equal(new MediaSpan(new MediaFile(path), 1, 2.5), samples[0].Video);
        Assert.Equal(("hello", "你好", "bye"), (samples[0].Texts["en"], samples[0].Texts["zh"], samples[1].Texts["en"]));
        Assert.Equal(("caption.en", "describe the video.", "hello"), (samples[0].Turns[0].Task, samples[0].Turns[0].Prompt, samples[0].Turns[0].Answer));
        Assert.Equal("描述视频。", samples[0].Turns[1].Prompt);
        Assert.All(samples, sample => Assert.Equal(2, sample.ModalityWeights["video"]));
    }

    [Fact]
    public void Subtitles_BesideAVideoOfWhichNothingElseIsTold_AreRead()
    {
        folder.Write("media/a.mp4", "x");
        folder.Write("media/a.srt", Cues);
        folder.Write("media/a.zh.srt", "00:03.000 --> 00:04.000\n再见\n");
        folder.Write("media/ab.srt", Cues);
        Assert.Equal(["hello", "bye 再见"], Read("""{"video_path":"media/a.mp4"}""").Select(sample => string.Join(' ', sample.Texts.Values)));
        Assert.Equal("told", Assert.Single(Read("""{"video_path":"media/a.mp4","text":"told"}""")).Texts["en"]);
    }

    [Fact]
    public void Row_ThatTellsAndNamesSubtitles_IsTheWholeVideoToo()
    {
        folder.Write("a.mp4", "x");
        folder.Write("a.srt", Cues);
        Assert.Equal(["a.mp4", "a.mp4#1-2.5", "a.mp4#3-4"], Read("""{"video_path":"a.mp4","text":"told","subtitles_path":"a.srt"}""").Select(sample => sample.Id));
    }

    [Fact]
    public void StretchesOfAVideo_AreInOneSplit()
    {
        folder.Write("c.srt", string.Join("\n\n", Enumerable.Range(0, 40).Select(i => $"00:{i:d2}.000 --> 00:{i:d2}.500\ncue {i}")));
        for (var i = 0; i < 10; i++) folder.Write($"{i}.mp4", "x");
        folder.Write("manifest.jsonl", string.Join('\n', Enumerable.Range(0, 10).Select(i => $$"""{"video_path":"{{i}}.mp4","subtitles_path":"c.srt"}""")));
        var source = Open();
        Assert.All(source.Splits, split => Assert.Equal(0, source.Count(split) % 40));
        Assert.Equal(400, source.Splits.Sum(source.Count));
        var fingerprint = source.Fingerprint;
        folder.Write("c.srt", "00:00.000 --> 00:01.000\nother\n");
        Assert.NotEqual(fingerprint, Open().Fingerprint);
    }

    [Fact]
    public void BadSubtitles_AreLeftOutWithFileAndLine()
    {
        folder.Write("a.mp4", "x");
        folder.Write("a.srt", Cues + "\n00:09.000 --> 00:08.000\nbackwards\n");
        Assert.Equal(2, Read("""{"video_path":"a.mp4"}""").Count);
        Assert.EndsWith("a.srt(7)", Assert.Single(log.Entries).Id);
    }

    [Fact]
    public void LongSubtitle_IsLeftOut()
    {
        folder.Write("a.mp4", "x");
        folder.Write("a.srt", Cues + "\n00:09.000 --> 00:10.000\n" + new string('x', 100) + "\n");
        folder.Write("manifest.jsonl", """{"video_path":"a.mp4"}""");
        Assert.Equal(2, All(Open(new ManifestOptions(LongestText: 50))).Count);
        Assert.Contains("the subtitle has 100 characters, more than the 50 of 'longestText'", Assert.Single(log.Entries).Reason);
    }

    [Theory]
    [InlineData("""{"text":"t","subtitles_path":"good.srt"}""", "'subtitles_path' speaks of a video, and the row has no 'video_path'")]
    [InlineData("""{"video_path":"good.mp4","subtitles_path":"no.srt"}""", "'subtitles_path': the file")]
    [InlineData("""{"video_path":"good.mp4","subtitles_path":{"en":7}}""", "'subtitles_path.en' is Number, not a path")]
    [InlineData("""{"video_path":"good.mp4","subtitles_path":"empty.srt"}""", "empty.srt: it holds no subtitle")]
    public void Row_WithBadSubtitles_IsLeftOut(string row, string reason)
    {
        folder.Write("good.mp4", "x");
        folder.Write("good.srt", Cues);
        folder.Write("empty.srt", "");
        Assert.Contains(reason, ReasonFor(row));
    }

    [Fact]
    public void Ids_LeftOut_StayWhenRowsMove()
    {
        var ids = Read("""{"text":"one"}""", "", """{"text":"two"}""").Select(sample => sample.Id);
        Assert.Equal(ids, Read("""{"text":"two"}""", """{"text":"one"}""").Select(sample => sample.Id));
    }

    [Fact]
    public void ByteOrderMarkAndCarriageReturns_AreNoRows()
    {
        folder.Write("manifest.jsonl", [.. Encoding.UTF8.Preamble, .. "{\"text\":\"one\"}\r\n\r\n"u8]);
        Assert.Single(All(Open()));
    }

    [Fact]
    public void Splits_FollowTheIds()
    {
        folder.Write("manifest.jsonl", string.Join('\n', Enumerable.Range(0, 500).Select(i => $$"""{"id":"{{i}}","text":"t"}""")));
        var source = Open();
        Assert.Equal(500, source.Splits.Sum(source.Count));
        Assert.InRange(source.Count("test"), 70, 130);
        Assert.All(Enumerable.Range(0, source.Count("test")), index => Assert.Equal("test", Splits.Of(source.Read("test", index).Id)));
    }

    [Theory]
    [InlineData("""{"text":"a","image_path":"no.png"}""", "no.png' is missing")]
    [InlineData("""{"id":"good","text":"a"}""", "duplicate id 'good' (first on line 1)")]
    [InlineData("""{"text":"a",""", "the row is no JSON")]
    [InlineData("[1]", "no JSON object")]
    [InlineData("{}", "nothing in it")]
    [InlineData("""{"text":5}""", "'text' is Number")]
    [InlineData("""{"text":{"en":null}}""", "'text.en' is Null")]
    [InlineData("""{"text":"a","image_path":7}""", "'image_path' is Number")]
    [InlineData("""{"text":"a","image_path":""}""", "'image_path' is no path")]
    [InlineData("""{"text":"a","modality_weights":{"image":-1}}""", "'modality_weights.image' is -1")]
    [InlineData("""{"text":"a","modality_weights":{"smell":1}}""", "names 'smell'")]
    [InlineData("""{"text":"a","turns":[{"task":"t","prompt":"p"}]}""", "'turns[0].answer' is missing")]
    [InlineData("""{"text":"\ud800"}""", "lone surrogate")]
    public void BadRow_IsLeftOut_WithItsLineAndReason(string row, string reason) => Assert.Contains(reason, ReasonFor(row));

    [Fact]
    public void InvalidUtf8_IsLeftOut() => Assert.Contains("not valid UTF-8", ReasonFor([.. "{\"text\":\""u8, 0xff, 0xfe, .. "\"}"u8]));

    [Fact]
    public void CaptionOf100000Characters_IsLeftOut() => Assert.Contains("100,000 characters", ReasonFor($$"""{"text":"{{new string('x', 100_000)}}"}"""));

    [Fact]
    public void MostRowsBad_RefusesTheManifest_WithTheFirstReasons()
    {
        var error = Assert.Throws<UserErrorException>(() => Read("""{"text":"a"}""", "{", "[]"));
        Assert.Contains("2 of 3 rows are bad", error.Message);
        Assert.Contains("manifest.jsonl(2): the row is no JSON", error.Message);
    }

    [Fact]
    public void MissingManifest_IsRefused() => Assert.Contains("cannot read", Assert.Throws<UserErrorException>(() => Open()).Message);

    [Fact]
    public void EmptyManifest_IsRefused() => Assert.Contains("no rows", Assert.Throws<UserErrorException>(() => Read("")).Message);

    [Fact]
    public void Fingerprint_FollowsRowsAndFiles()
    {
        folder.Write("a.png", "x");
        folder.Write("manifest.jsonl", """{"image_path":"a.png"}""");
        var before = Open().Fingerprint;
        Assert.Equal(before, Open().Fingerprint);
        folder.Write("a.png", "xy");
        Assert.NotEqual(before, Open().Fingerprint);
    }
}
