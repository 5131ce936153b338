using System.Text;
using CsCheck;
using PluginHost.Sdk;
using Source.Manifest;

namespace Plugins.Data.Tests;

public class SubtitlesTests
{
    private const string Srt = "1\r\n00:00:01,000 --> 00:00:02,500\r\nhello\r\nthere\r\n\r\n2\r\n00:01:00,000 --> 01:00:01,000\r\n<i>later</i>\r\n";

    private static readonly string Vtt = string.Join('\n',
    [
        "WEBVTT - a title", "Kind: captions", "", "STYLE", "::cue { color: red }", "", "NOTE 00:00.000 is", "a comment", "", "REGION", "id:fred", "",
        "intro", "00:01.000 --> 00:02.500 align:start position:10%", "<v Anna>Hi &amp; <c.loud>welcome</c>", "", "02:00:00.000 --> 02:00:01.000", "<00:00:00.500>late", "",
    ]);

    private static (IReadOnlyList<Cue> Cues, List<Rejection> Rejected) Read(byte[] content)
    {
        var rejected = new List<Rejection>();
        return (Subtitles.Read("a.srt", content, rejected.Add), rejected);
    }

    private static (IReadOnlyList<Cue> Cues, List<Rejection> Rejected) Read(string content) => Read(Encoding.UTF8.GetBytes(content));

    [Fact]
    public void Srt_WithCarriageReturns_GivesTimesAndPlainText()
    {
        var (cues, rejected) = Read(Srt);
        Assert.Equal([new Cue(1, 2.5, "hello there"), new Cue(60, 3601, "later")], cues);
        Assert.Empty(rejected);
    }

    [Fact]
    public void Vtt_WithStylesNotesAndSettings_GivesItsCuesAlone() =>
        Assert.Equal([new Cue(1, 2.5, "Hi & welcome"), new Cue(7200, 7201, "late")], Read(Vtt).Cues);

    public static TheoryData<string, byte[]> Encodings => new()
    {
        { "UTF-8", Encoding.UTF8.GetBytes(Srt) },
        { "UTF-8 with a mark", [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Srt)] },
        { "UTF-16", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Srt)] },
        { "UTF-16, big end first", [.. Encoding.BigEndianUnicode.Preamble, .. Encoding.BigEndianUnicode.GetBytes(Srt)] },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void File_InAnEncodingWithItsMark_IsRead(string name, byte[] content)
    {
        Assert.NotNull(name);
        Assert.Equal(2, Read(content).Cues.Count);
    }

    [Theory]
    [InlineData("00:01,5 --> 00:02,25\nhalf", 1.5, 2.25, "half")] // hours left out, short fractions
    [InlineData("0:00:01.000-->0:00:02.000\ntight", 1, 2, "tight")]
    [InlineData("  00:00:01,000   -->   00:00:02,000  X1:10 Y2:20\nplaced", 1, 2, "placed")]
    [InlineData("100:00:00,000 --> 100:00:01,000\nlong", 360000, 360001, "long")]
    [InlineData("00:00:01 --> 00:00:02\nwhole seconds", 1, 2, "whole seconds")]
    [InlineData("00:00:01,000 --> 00:00:02,000\n{\\an8}<font color=\"red\">top</font>", 1, 2, "top")]
    [InlineData("00:00:01,000 --> 00:00:02,000\n1 < 2 and 3 > 2", 1, 2, "1 < 2 and 3 > 2")]
    [InlineData("\n\n\n7\n00:00:01,000 --> 00:00:02,000\n  spaced \t out \n\n\n", 1, 2, "spaced out")]
    public void Cue_AsFilesHaveIt_IsRead(string content, double start, double end, string text) => Assert.Equal(new Cue(start, end, text), Assert.Single(Read(content).Cues));

    [Fact]
    public void Cues_ThatOverlapOrComeInAnyOrder_AreAllKeptByTheirStart()
    {
        var (cues, _) = Read("00:05.000 --> 00:07.000\nlast\n\n00:01.000 --> 00:06.000\nfirst\n\n00:02.000 --> 00:03.000\nwithin\n");
        Assert.Equal(["first", "within", "last"], cues.Select(cue => cue.Text));
    }

    [Fact]
    public void Cues_WithoutABlankLineBetween_AreTwo()
    {
        var (cues, _) = Read("1\n00:01.000 --> 00:02.000\none\n2\n00:03.000 --> 00:04.000\ntwo\n");
        Assert.Equal(["one", "two"], cues.Select(cue => cue.Text));
    }

    [Theory]
    [InlineData("00:00:61,000 --> 00:00:62,000", "'00:00:61,000' is no time; a time is hours:minutes:seconds.milliseconds, and hours may be left out")]
    [InlineData("soon --> later", "'soon' is no time")]
    [InlineData("NOTE 00:01.000 --> 00:02.000", "'NOTE 00:01.000' is no time")]
    [InlineData("00:00:05,000 --> 00:00:05,000", "the subtitle ends at 5 s, which is not after its start at 5 s")]
    [InlineData("00:00:05,000 --> ", "'' is no time")]
    public void Cue_WithBadTimes_IsLeftOutWithItsLine(string timing, string reason)
    {
        var (cues, rejected) = Read($"1\n00:01.000 --> 00:02.000\ngood\n\n2\n{timing}\nbad\n");
        Assert.Equal("good", Assert.Single(cues).Text);
        var rejection = Assert.Single(rejected);
        Assert.Equal("a.srt(6)", rejection.Id);
        Assert.StartsWith(reason, rejection.Reason);
    }

    [Fact]
    public void File_WithoutACue_IsABadSample() => Assert.StartsWith("a.srt: it holds no subtitle;", Assert.Throws<BadSampleException>(() => Read("WEBVTT\n\n")).Message);

    [Fact]
    public void File_InAnUnmarkedEncoding_IsABadSample() => Assert.Equal("a.srt: it is not valid UTF-8; save it as UTF-8", Assert.Throws<BadSampleException>(() => Read([0xE9, 0x20])).Message);

    [Fact]
    public void Files_DamagedAtRandom_GiveSoundCuesOrABadSample()
    {
        var good = Encoding.UTF8.GetBytes(Vtt + "\n" + Srt);
        var pieces = Gen.OneOfConst("-->", "00:01.000", "\n", "\r", "\n\n", "WEBVTT", "NOTE", "<", ">", "{\\", "}", "&#x110000;", "&amp;", ":", ",", "9999999999", "\0", "é");
        Gen.Select(pieces.Array[0, 12], Gen.Int[0, good.Length].Array[12], Gen.Byte.Array[0, 3]).Sample((inserted, places, bytes) =>
        {
            List<byte> content = [.. good];
            for (var i = 0; i < inserted.Length; i++) content.InsertRange(places[i], Encoding.UTF8.GetBytes(inserted[i]));
            foreach (var value in bytes) content[places[0] % content.Count] = value;
            try
            {
                foreach (var cue in Read([.. content]).Cues)
                    Assert.True(cue.Start >= 0 && cue.End > cue.Start && double.IsFinite(cue.End) && cue.Text.Length > 0 && cue.Text == cue.Text.Trim());
            }
            catch (BadSampleException error)
            {
                Assert.StartsWith("a.srt: ", error.Message);
            }
        }, iter: 2000);
    }
}
