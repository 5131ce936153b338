using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Extensions.AI;

namespace PluginHost.Sdk;

/// <summary>Media of samples as bytes with a media type, as an embedding generator or a chat client takes them.</summary>
public static class MediaData
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".webp"] = "image/webp",
        [".gif"] = "image/gif",
        [".bmp"] = "image/bmp",
        [".wav"] = "audio/wav",
        [".ogg"] = "audio/ogg",
        [".mp3"] = "audio/mpeg",
        [".flac"] = "audio/flac",
        [".m4a"] = "audio/mp4",
    };

    /// <summary>Whether <see cref="Of"/> takes the medium as it is; another has to be decoded first.</summary>
    /// <param name="content">The medium.</param>
    public static bool Takes(MediaContent content) => content is Picture or Sound || TypeOf(content) is not null;

    /// <summary>
    /// A file's bytes as they are, a picture as PNG, a sound as WAV of 16 bits; picture and sound are <see cref="AIContent.RawRepresentation"/> too, so that who
    /// knows them needs no decoder.
    /// </summary>
    /// <param name="content">A file or a part of one with a usual extension of pictures or sounds, a picture, or a sound.</param>
    /// <exception cref="BadSampleException">The file cannot be read.</exception>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public static DataContent Of(MediaContent content) => content switch
    {
        Picture picture => new DataContent(Png(picture), "image/png") { RawRepresentation = picture },
        Sound sound => new DataContent(Wav(sound), "audio/wav") { RawRepresentation = sound },
        MediaFile file when TypeOf(file) is { } type => new DataContent(Read(file.Path), type),
        MediaPart part when TypeOf(part) is { } type => new DataContent(part.Read(), type),
        _ => throw new ArgumentException($"{content} is neither a picture or sound nor a file of one; decode it first.", nameof(content)),
    };

    private static string? TypeOf(MediaContent content) => content switch
    {
        MediaFile file => Types.GetValueOrDefault(Path.GetExtension(file.Path)),
        MediaPart part => Types.GetValueOrDefault(part.Extension),
        _ => null,
    };

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{path}: cannot be read: {error.Message}");
        }
    }

    // PNG (ISO/IEC 15948): eight bits a channel, RGB, no row predicted from another.
    private static byte[] Png(Picture picture)
    {
        using var packed = new MemoryStream();
        using (var rows = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var y = 0; y < picture.Height; y++)
            {
                rows.WriteByte(0);
                rows.Write(picture.Rgb, 3 * picture.Width * y, 3 * picture.Width);
            }
        }
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        (header[8], header[9]) = (8, 2);
        using var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        Chunk(png, "IHDR"u8, header);
        Chunk(png, "IDAT"u8, packed.ToArray());
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void Chunk(MemoryStream png, ReadOnlySpan<byte> type, byte[] content)
    {
        byte[] chunk = [0, 0, 0, 0, .. type, .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32(chunk.AsSpan(4, chunk.Length - 8)));
        png.Write(chunk);
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
        }
        return ~crc;
    }

    private static byte[] Wav(Sound sound)
    {
        const int header = 44;
        var wav = new byte[header + 2 * sound.Samples.Length];
        var at = wav.AsSpan();
        "RIFF"u8.CopyTo(at);
        BinaryPrimitives.WriteInt32LittleEndian(at[4..], wav.Length - 8);
        "WAVEfmt "u8.CopyTo(at[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(at[16..], 16);
        BinaryPrimitives.WriteInt16LittleEndian(at[20..], 1); // whole numbers
        BinaryPrimitives.WriteInt16LittleEndian(at[22..], 1); // mono
        BinaryPrimitives.WriteInt32LittleEndian(at[24..], sound.Rate);
        BinaryPrimitives.WriteInt32LittleEndian(at[28..], 2 * sound.Rate);
        BinaryPrimitives.WriteInt16LittleEndian(at[32..], 2);
        BinaryPrimitives.WriteInt16LittleEndian(at[34..], 16);
        "data"u8.CopyTo(at[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(at[40..], 2 * sound.Samples.Length);
        for (var i = 0; i < sound.Samples.Length; i++)
            BinaryPrimitives.WriteInt16LittleEndian(at[(header + 2 * i)..], (short)Math.Round(Math.Clamp(sound.Samples[i], -1f, 1f) * short.MaxValue));
        return wav;
    }
}
