using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Media.Ffmpeg;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public sealed class FfmpegTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    internal static void NeedFfmpeg() => Skip.IfNot(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, "ffmpeg"))), "needs the program ffmpeg: apt-get install ffmpeg");

    private string Make(string name, string arguments)
    {
        NeedFfmpeg();
        var path = Path.Combine(folder.Path, name);
        using var process = Process.Start("ffmpeg", $"-v error -y {arguments} {path}");
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return path;
    }

    private static MediaContent Decode(string path, string modality) => new FfmpegMedia().Decode(path, modality, Surroundings.Format, default);

    [SkippableFact]
    public void Ogg_Decoded_IsTheToneItHolds()
    {
        var sound = (Sound)Decode(Make("a.ogg", "-f lavfi -i sine=frequency=500:duration=0.5 -c:a libvorbis -ar 44100"), "audio");
        Assert.Equal(4000, sound.Rate);
        Assert.InRange(sound.Samples.Length, 1950, 2050);
        var crossings = sound.Samples.Zip(sound.Samples.Skip(1)).Count(pair => pair.First < 0 != pair.Second < 0);
        Assert.InRange(crossings, 480, 520);
    }

    [SkippableFact]
    public void Video_Decoded_GivesAFrameAndItsTrack()
    {
        var path = Make("a.mp4", "-f lavfi -i color=red:size=64x32:duration=1:rate=10 -f lavfi -i sine=frequency=500:duration=2 -pix_fmt yuv420p");
        var picture = (Picture)Decode(path, "image");
        Assert.Equal((32, 32), (picture.Width, picture.Height));
        var middle = 3 * (16 * 32 + 16);
        Assert.InRange(picture.Rgb[middle], 230, 255);
        Assert.InRange(picture.Rgb[middle + 1], 0, 25);
        Assert.Equal([255, 255, 255], picture.Rgb[..3]); // above the wide picture
        Assert.Equal(4000, ((Sound)Decode(path, "audio")).Samples.Length);
    }

    /// <summary>A second of red, then a second of blue, 24 frames each; its index is at the end, as ffmpeg writes it.</summary>
    private string RedThenBlue(string name = "rb.mp4", string more = "") =>
        Make(name, $"-f lavfi -i color=red:size=64x48:duration=1:rate=24 -f lavfi -i color=blue:size=64x48:duration=1:rate=24 -filter_complex concat=n=2 -pix_fmt yuv420p -g 8 {more}");

    private static string Colours(Clip clip) => string.Concat(clip.Frames.Select(frame => frame.AsSpan(3 * (clip.Width * clip.Height / 2 + clip.Width / 2), 3) switch
    {
        [> 200, < 60, < 60] => 'r',
        [< 60, < 60, > 200] => 'b',
        _ => '?',
    }));

    private static Clip Frames(string path, MediaFormat? format = null) => (Clip)new FfmpegMedia().Decode(path, "video", format ?? Surroundings.Format, default);

    [SkippableFact]
    public void Video_AsFrames_ShowsWhatIsSeenAtEachTime()
    {
        var path = RedThenBlue();
        var bytes = File.ReadAllBytes(path);
        Assert.True(bytes.AsSpan().IndexOf("mdat"u8) < bytes.AsSpan().IndexOf("moov"u8), "the index of the file is not at its end");
        var clip = Frames(path);
        Assert.Equal("rrrrbbbb", Colours(clip));
        Assert.Equal([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75], clip.Times);
        Assert.Equal((32, 32), (clip.Width, clip.Height));
        Assert.Equal([255, 255, 255], clip.Frames[0][..3]); // above the wide frame
    }

    [SkippableTheory]
    [InlineData(3, 1, "rbb")] // shorter than wanted: what there is
    [InlineData(3, 4, "rrr")] // longer: the beginning
    [InlineData(16, 8, "rrrrrrrrbbbbbbbb")]
    public void Video_AtOtherRates_HasAFrameAtEachMultiple(int frames, double rate, string colours)
    {
        var clip = Frames(RedThenBlue(), Surroundings.Format with { VideoFrames = frames, VideoRate = rate, VideoSize = 16 });
        Assert.StartsWith(Colours(clip), colours);
        Assert.InRange(clip.Frames.Count, Math.Min(frames, (int)(2 * rate)), frames);
    }

    [SkippableFact]
    public void Video_AStretchOfIt_BeginsAndEndsThere()
    {
        var path = RedThenBlue();
        Assert.Equal("rbb", Colours(Frames(path, Surroundings.Format with { Start = 0.75, End = 1.5 })));
        var picture = (Picture)new FfmpegMedia().Decode(path, "image", Surroundings.Format with { Start = 1.2, End = 1.9 }, default);
        Assert.InRange(picture.Rgb[3 * (16 * 32 + 16) + 2], 200, 255);
        Assert.Contains("it holds no video at 5 s", Assert.Throws<BadSampleException>(() => Frames(path, Surroundings.Format with { Start = 5 })).Message);
    }

    [SkippableFact]
    public void Sound_AStretchOfIt_IsAsLong()
    {
        var path = Make("a.ogg", "-f lavfi -i sine=frequency=500:duration=2 -c:a libvorbis -ar 44100");
        var sound = (Sound)new FfmpegMedia().Decode(path, "audio", Surroundings.Format with { Start = 0.5, End = 0.75 }, default);
        Assert.InRange(sound.Samples.Length, 990, 1010);
    }

    [SkippableTheory]
    [InlineData("front.mp4", "-movflags +faststart", 0.9, "the file is cut short")]
    [InlineData("end.mp4", "", 0.7, "ffmpeg cannot decode it")] // without its index there is nothing to decode
    [InlineData("a.mkv", "", 0.7, "the file is cut short")]
    public void Video_CutShort_IsRefusedWithTheReason(string name, string more, double part, string reason)
    {
        var path = RedThenBlue(name, more);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(int)(bytes.Length * part)]);
        Assert.Contains($"{name}: {reason}", Assert.Throws<BadSampleException>(() => Frames(path)).Message);
    }

    [SkippableFact]
    public void SoundFile_AskedForItsVideo_IsRefused()
    {
        var path = Make("a.ogg", "-f lavfi -i sine=frequency=500:duration=1 -c:a libvorbis");
        Assert.Contains("a.ogg: ", Assert.Throws<BadSampleException>(() => Frames(path)).Message);
    }

    [SkippableFact]
    public void SilentVideo_AskedForItsSound_IsRefused()
    {
        var path = Make("a.mp4", "-f lavfi -i color=red:size=64x32:duration=1:rate=10 -pix_fmt yuv420p");
        Assert.Throws<BadSampleException>(() => Decode(path, "audio"));
    }

    [SkippableFact]
    public void Garbage_IsRefusedWithItsPath()
    {
        NeedFfmpeg();
        var path = folder.Write("a.ogg", [.. Enumerable.Range(0, 999).Select(i => (byte)(i * 31))]);
        Assert.Contains("a.ogg: ffmpeg cannot decode it", Assert.Throws<BadSampleException>(() => Decode(path, "audio")).Message);
    }

    [SkippableFact]
    public void Playlist_ThatNamesAnAddress_IsNotFetched()
    {
        NeedFfmpeg();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var path = folder.Write("a.m3u8", $"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{listener.LocalEndpoint}/a.ts\n#EXT-X-ENDLIST\n");
        Assert.Throws<BadSampleException>(() => Decode(path, "audio"));
        Assert.False(listener.Pending());
    }

    [Fact]
    public void EmptyFile_IsRefused() => Assert.Contains("the file is empty", Assert.Throws<BadSampleException>(() => Decode(folder.Write("a.ogg", ""), "audio")).Message);

    [Fact]
    public void MissingFile_IsRefused() => Assert.Contains("the file is missing", Assert.Throws<BadSampleException>(() => Decode(Path.Combine(folder.Path, "no.ogg"), "audio")).Message);

    [Fact]
    public void MissingProgram_IsNamed_WithHowToInstallIt()
    {
        var media = new FfmpegMedia { SearchPath = folder.Path };
        var error = Assert.Throws<BadSampleException>(() => media.Decode(folder.Write("a.ogg", "x"), "audio", Surroundings.Format, default));
        Assert.EndsWith("apt-get install ffmpeg", error.Message);
    }
}
