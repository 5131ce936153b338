using System.Buffers.Binary;
using System.IO.Hashing;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Report;

/// <summary>Videos in memory as animated PNG (PNG specification, third edition): without loss, and shown by browsers and read by FFmpeg.</summary>
internal static class AnimatedPng
{
    private const int SignatureLength = 8;
    private const double LastDelay = 0.25; // seconds; of a single frame nothing says how long it is seen

    /// <summary>The file of a video; its frames are seen from their times on.</summary>
    public static byte[] Write(Clip clip)
    {
        using var file = new MemoryStream();
        var sequence = 0u;
        for (var i = 0; i < clip.Frames.Count; i++)
        {
            var png = MediaData.Of(new Picture(clip.Width, clip.Height, clip.Frames[i])).Data.ToArray();
            if (i == 0)
            {
                file.Write(png.AsSpan(0, SignatureLength));
                Chunk(file, "IHDR"u8, Chunks(png).First(chunk => chunk.Type.Span.SequenceEqual("IHDR"u8)).Data.Span);
                Chunk(file, "acTL"u8, [.. Number((uint)clip.Frames.Count), .. Number(0)]);
            }
            Chunk(file, "fcTL"u8, Control(sequence++, clip, i));
            foreach (var (type, data) in Chunks(png))
            {
                if (!type.Span.SequenceEqual("IDAT"u8)) continue;
                if (i == 0) Chunk(file, "IDAT"u8, data.Span);
                else Chunk(file, "fdAT"u8, [.. Number(sequence++), .. data.Span]);
            }
        }
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>Place, size and time of a frame: it replaces the one before.</summary>
    private static byte[] Control(uint sequence, Clip clip, int frame)
    {
        var (here, next) = (frame, Math.Min(frame + 1, clip.Times.Count - 1));
        if (here == next) here = Math.Max(0, here - 1);
        var delay = here == next ? LastDelay : clip.Times[next] - clip.Times[here];
        var milliseconds = (ushort)Math.Clamp(Math.Round(delay * 1000), 1, ushort.MaxValue);
        return [.. Number(sequence), .. Number((uint)clip.Width), .. Number((uint)clip.Height), .. Number(0), .. Number(0), (byte)(milliseconds >> 8), (byte)milliseconds, 1000 >> 8, 1000 & 255, 0, 0];
    }

    private static IEnumerable<(ReadOnlyMemory<byte> Type, ReadOnlyMemory<byte> Data)> Chunks(byte[] png)
    {
        for (var at = SignatureLength; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            yield return (png.AsMemory(at + 4, 4), png.AsMemory(at + 8, length));
            at += length + 12;
        }
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        file.Write(Number((uint)data.Length));
        byte[] content = [.. type, .. data];
        file.Write(content);
        file.Write(Number(Crc32.HashToUInt32(content)));
    }

    private static byte[] Number(uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
