using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Data;

/// <summary>Decoded pictures, sounds and videos of several samples as padded tensors with masks.</summary>
internal static class MediaTensors
{
    private static readonly float[] Unit = [.. Enumerable.Range(0, 256).Select(value => value / 255f)];

    /// <summary>Pictures [B, 3, H, W] in 0..1, mask [B]; zeros where a sample has none.</summary>
    public static Masked Images(IReadOnlyList<Sample> samples, int size, Device device)
    {
        var plane = size * size;
        var data = new float[samples.Count * 3 * plane];
        var mask = new bool[samples.Count];
        for (var i = 0; i < samples.Count; i++)
        {
            if (samples[i].Image is not Picture picture) continue;
            mask[i] = true;
            Planes(picture.Rgb, data.AsSpan(3 * i * plane, 3 * plane));
        }
        return new Masked(Tensors.Of(data, [samples.Count, 3, size, size], device), Tensors.Of(mask, [samples.Count], device));
    }

    /// <summary>Sounds [B, S] with mask [B, S]; longer ones are cut, shorter ones and absent ones padded with zeros.</summary>
    public static Masked Sounds(IReadOnlyList<Sample> samples, int length, Device device)
    {
        var data = new float[samples.Count * length];
        var mask = new bool[data.Length];
        for (var i = 0; i < samples.Count; i++)
        {
            if (samples[i].Audio is not Sound sound) continue;
            var count = Math.Min(length, sound.Samples.Length);
            sound.Samples.AsSpan(0, count).CopyTo(data.AsSpan(i * length));
            mask.AsSpan(i * length, count).Fill(true);
        }
        return new Masked(Tensors.Of(data, [samples.Count, length], device), Tensors.Of(mask, [samples.Count, length], device));
    }

    /// <summary>Videos [B, F, 3, H, W] in 0..1, mask [B, F]: each frame stands where its time says, and what is left out or beyond the last place is absent.</summary>
    public static Masked Videos(IReadOnlyList<Sample> samples, MediaFormat format, Device device)
    {
        var (places, frame) = (format.VideoFrames, 3 * format.VideoSize * format.VideoSize);
        var data = new float[samples.Count * places * frame];
        var mask = new bool[samples.Count * places];
        for (var i = 0; i < samples.Count; i++)
        {
            if (samples[i].Video is not Clip clip) continue;
            for (var k = 0; k < clip.Frames.Count; k++)
            {
                var place = Math.Round(clip.Times[k] * format.VideoRate);
                if (!(place >= 0 && place < places)) continue;
                var at = i * places + (int)place;
                mask[at] = true;
                Planes(clip.Frames[k], data.AsSpan(at * frame, frame));
            }
        }
        return new Masked(Tensors.Of(data, [samples.Count, places, 3, format.VideoSize, format.VideoSize], device), Tensors.Of(mask, [samples.Count, places], device));
    }

    /// <summary>Red, green and blue one after another, from three bytes a pixel.</summary>
    private static void Planes(byte[] rgb, Span<float> planes)
    {
        var plane = planes.Length / 3;
        var red = planes[..plane];
        var green = planes.Slice(plane, plane);
        var blue = planes[(2 * plane)..];
        for (int pixel = 0, from = 0; pixel < plane; pixel++, from += 3)
        {
            red[pixel] = Unit[rgb[from]];
            green[pixel] = Unit[rgb[from + 1]];
            blue[pixel] = Unit[rgb[from + 2]];
        }
    }
}
