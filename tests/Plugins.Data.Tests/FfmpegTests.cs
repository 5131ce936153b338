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
