// Portable pixmaps in text form (P3): width, height, largest value, then red, green and blue of each pixel.
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Decodes P3 pictures.</summary>
[Plugin("plugin-kind.plugin-name", "Portable pixmaps in text form.")]
[Accepts(".ppm")]
public sealed class PluginNameMedia : IMediaDecoder
{
    private const int LargestSide = 10_000;

    /// <inheritdoc/>
    public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
    {
        if (modality != "image") throw new BadSampleException($"{path}: a picture has no {modality}");
        var words = Text(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 4 || words[0] != "P3") throw new BadSampleException($"{path}: no portable pixmap in text form (P3)");
        var (width, height, largest) = (Number(path, words[1], LargestSide), Number(path, words[2], LargestSide), Number(path, words[3], 65535));
        if (width * height == 0 || largest == 0 || words.Length < 4 + width * height * 3) throw new BadSampleException($"{path}: the file is truncated");

        var size = format.ImageSize;
        var scale = (double)Math.Max(width, height) / size;
        var rgb = new byte[size * size * 3];
        Array.Fill(rgb, (byte)255);
        for (var y = 0; y < size; y++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var x = 0; x < size; x++)
            {
                // The nearest pixel; what lies beside the picture stays white.
                var (column, row) = ((int)Math.Floor((x + 0.5 - size / 2.0) * scale + width / 2.0), (int)Math.Floor((y + 0.5 - size / 2.0) * scale + height / 2.0));
                if (column < 0 || row < 0 || column >= width || row >= height) continue;
                for (var channel = 0; channel < 3; channel++)
                    rgb[(y * size + x) * 3 + channel] = (byte)(Number(path, words[4 + (row * width + column) * 3 + channel], largest) * 255 / largest);
            }
        }
        return new Picture(size, size, rgb);
    }

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{path}: cannot be read: {error.Message}");
        }
    }

    private static int Number(string path, string word, int largest) => int.TryParse(word, out var value) && value >= 0 && value <= largest
        ? value
        : throw new BadSampleException($"{path}: '{word}' is no number from 0 to {largest}");
}
