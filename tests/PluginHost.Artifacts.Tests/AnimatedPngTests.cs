using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Hashing;
using System.Text;
using PluginHost.Artifacts.Report;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Tests;

public class AnimatedPngTests
{
    private static Clip Noise(int frames)
    {
        var random = new Random(5);
        return new Clip(6, 4, [.. Enumerable.Range(0, frames).Select(_ =>
        {
            var rgb = new byte[6 * 4 * 3];
            random.NextBytes(rgb);
            return rgb;
        })], [.. Enumerable.Range(0, frames).Select(frame => frame / 4.0)]);
    }

    private static List<(string Type, byte[] Data)> Chunks(byte[] file)
    {
        var chunks = new List<(string, byte[])>();
        for (var at = 8; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            Assert.Equal(Crc32.HashToUInt32(file.AsSpan(at + 4, length + 4)), BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)));
            chunks.Add((Encoding.ASCII.GetString(file, at + 4, 4), file[(at + 8)..(at + 8 + length)]));
            at += length + 12;
        }
        return chunks;
    }

    [Fact]
    public void Video_Written_IsNumberedChunksWithTheTimesOfItsFrames()
    {
        var chunks = Chunks(AnimatedPng.Write(Noise(3)));
        Assert.Equal(["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"], chunks.Select(chunk => chunk.Type));
        Assert.Equal([0, 0, 0, 3, 0, 0, 0, 0], chunks[1].Data);
        var numbers = chunks.Where(chunk => chunk.Type is "fcTL" or "fdAT").Select(chunk => BinaryPrimitives.ReadInt32BigEndian(chunk.Data));
        Assert.Equal([0, 1, 2, 3, 4], numbers);
        Assert.All(chunks.Where(chunk => chunk.Type == "fcTL"), chunk => Assert.Equal((250, 1000), (BinaryPrimitives.ReadInt16BigEndian(chunk.Data.AsSpan(20)), BinaryPrimitives.ReadInt16BigEndian(chunk.Data.AsSpan(22)))));
    }

    [Fact]
    public void SingleFrame_Written_HasATime() =>
        Assert.Equal(250, BinaryPrimitives.ReadInt16BigEndian(Chunks(AnimatedPng.Write(Noise(1))).Single(chunk => chunk.Type == "fcTL").Data.AsSpan(20)));

    [SkippableFact]
    public void Video_WrittenAndReadByFfmpeg_IsTheSame()
    {
        Skip.IfNot((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, "ffmpeg"))), "needs the program ffmpeg: apt-get install ffmpeg");
        var (folder, clip) = (Directory.CreateTempSubdirectory("pluginhost-apng-").FullName, Noise(5));
        try
        {
            var (file, raw) = (Path.Combine(folder, "a.apng"), Path.Combine(folder, "a.raw"));
            File.WriteAllBytes(file, AnimatedPng.Write(clip));
            using var process = Process.Start("ffmpeg", $"-v error -y -i {file} -vf fps=4 -pix_fmt rgb24 -f rawvideo {raw}");
            process.WaitForExit();
            Assert.Equal(clip.Frames.SelectMany(frame => frame), File.ReadAllBytes(raw));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
