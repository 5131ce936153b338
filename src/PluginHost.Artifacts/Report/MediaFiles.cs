using System.Runtime.InteropServices;
using PluginHost.Config;
using PluginHost.Runs.Evaluation;
using PluginHost.Sdk;
using SkiaSharp;

namespace PluginHost.Artifacts.Report;

/// <summary>Pictures, sounds and videos of samples as files that anything can open.</summary>
public static class MediaFiles
{
    /// <summary>Writes each example's picture, sound and video, for people to look at and to ask about.</summary>
    /// <returns>The paths of the pictures and videos.</returns>
    public static IReadOnlyList<string> Write(string folder, IEnumerable<Example> examples)
    {
        var pictures = new List<string>();
        foreach (var example in examples)
        {
            var path = Path.Combine(folder, $"{example.Split}-{example.Sample.Id.Split('/')[^1]}");
            if (example.Sample.Image is Picture picture)
            {
                AtomicFile.Write(path + ".png", stream => stream.Write(Png(picture)));
                pictures.Add(path + ".png");
            }
            if (example.Sample.Video is Clip clip)
            {
                AtomicFile.Write(path + ".apng", stream => stream.Write(AnimatedPng.Write(clip)));
                pictures.Add(path + ".apng");
            }
            if (example.Sample.Audio is Sound sound) AtomicFile.Write(path + ".wav", stream => stream.Write(Wav(sound)));
        }
        return pictures;
    }

    internal static byte[] Png(Picture picture)
    {
        var pixels = new byte[4 * picture.Width * picture.Height];
        for (int from = 0, to = 0; to < pixels.Length; from += 3, to += 4)
        {
            picture.Rgb.AsSpan(from, 3).CopyTo(pixels.AsSpan(to));
            pixels[to + 3] = 255;
        }
        using var bitmap = new SKBitmap(new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Marshal.Copy(pixels, 0, bitmap.GetPixels(), pixels.Length);
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    /// <summary>A WAV file: 44 bytes of header (RIFF, one channel, 16 bits) and the samples.</summary>
    internal static byte[] Wav(Sound sound)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        var bytes = sound.Samples.Length * 2;
        writer.Write("RIFF"u8);
        writer.Write(36 + bytes);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(sound.Rate);
        writer.Write(sound.Rate * 2);
        writer.Write((short)2);
        writer.Write((short)16);
        writer.Write("data"u8);
        writer.Write(bytes);
        foreach (var sample in sound.Samples) writer.Write((short)(Math.Clamp(sample, -1, 1) * short.MaxValue));
        return stream.ToArray();
    }
}
