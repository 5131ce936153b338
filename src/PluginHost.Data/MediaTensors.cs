using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Data;

/// <summary>Decoded pictures and sounds of several samples as padded tensors with masks.</summary>
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
            var red = data.AsSpan((3 * i + 0) * plane, plane);
            var green = data.AsSpan((3 * i + 1) * plane, plane);
            var blue = data.AsSpan((3 * i + 2) * plane, plane);
            var rgb = picture.Rgb;
            for (int pixel = 0, from = 0; pixel < plane; pixel++, from += 3)
            {
                red[pixel] = Unit[rgb[from]];
                green[pixel] = Unit[rgb[from + 1]];
                blue[pixel] = Unit[rgb[from + 2]];
            }
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
}
