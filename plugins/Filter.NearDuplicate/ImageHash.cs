using System.Numerics;
using PluginHost.Sdk;

namespace Filter.NearDuplicate;

/// <summary>
/// A 64-bit perceptual hash: the 8x8 lowest frequencies of the picture's luma (DCT-II over 32x32), each as one bit, above the median of them
/// or not. Scaling, recompression and small changes of brightness move few bits.
/// </summary>
internal static class ImageHash
{
    /// <summary>Width and height of the pictures that are hashed, in pixels.</summary>
    public const int Size = 32;

    private const int Kept = 8;

    private static readonly double[,] Cosines = Table();

    /// <summary>The hash; a picture of another size is resampled by its nearest pixels.</summary>
    public static ulong Of(Picture picture)
    {
        var rows = new double[Size, Kept]; // the transform of each row
        for (var y = 0; y < Size; y++)
            for (var x = 0; x < Size; x++)
            {
                var luma = Luma(picture, x * picture.Width / Size, y * picture.Height / Size);
                for (var u = 0; u < Kept; u++) rows[y, u] += luma * Cosines[x, u];
            }
        var values = new double[Kept * Kept];
        for (var v = 0; v < Kept; v++)
            for (var u = 0; u < Kept; u++)
            {
                for (var y = 0; y < Size; y++) values[v * Kept + u] += rows[y, u] * Cosines[y, v];
                // What is only rounding (a picture of one colour) must not become a bit.
                values[v * Kept + u] = Math.Round(values[v * Kept + u], 6);
            }
        // The mean (0, 0) says how bright the picture is, not what it shows.
        var sorted = values[1..].Order().ToArray();
        var median = sorted[sorted.Length / 2];
        ulong hash = 0;
        for (var i = 0; i < values.Length; i++)
            if (values[i] > median) hash |= 1UL << i;
        return hash;
    }

    /// <summary>Bits that differ.</summary>
    public static int Distance(ulong one, ulong other) => BitOperations.PopCount(one ^ other);

    private static double Luma(Picture picture, int x, int y)
    {
        var rgb = picture.Rgb.AsSpan(3 * (y * picture.Width + x), 3);
        return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    }

    private static double[,] Table()
    {
        var table = new double[Size, Kept];
        for (var x = 0; x < Size; x++)
            for (var u = 0; u < Kept; u++) table[x, u] = Math.Cos(Math.PI * (2 * x + 1) * u / (2 * Size));
        return table;
    }
}

/// <summary>
/// A picture at 16x16 pixels, as three planes of values without mean and scale: what brighter, darker or compressed copies have in common.
/// The hash finds what may be alike, in a time that does not grow with the number of pictures; this tells whether it is.
/// </summary>
internal static class Thumbnail
{
    private const int Side = 16;

    /// <summary>Values of mean 0 and length 1; all 0 for a picture of one colour.</summary>
    public static float[] Of(Picture picture)
    {
        var values = new float[3 * Side * Side];
        var counts = new int[Side * Side];
        for (var y = 0; y < picture.Height; y++)
            for (var x = 0; x < picture.Width; x++)
            {
                var cell = y * Side / picture.Height * Side + x * Side / picture.Width;
                counts[cell]++;
                for (var channel = 0; channel < 3; channel++) values[3 * cell + channel] += picture.Rgb[3 * (y * picture.Width + x) + channel];
            }
        for (var i = 0; i < values.Length; i++) values[i] /= Math.Max(1, counts[i / 3]);
        var mean = values.Average();
        var length = MathF.Sqrt(values.Sum(value => (value - mean) * (value - mean)));
        return [.. values.Select(value => length > 1 ? (value - mean) / length : 0)];
    }

    /// <summary>Correlation, from -1 to 1; pictures of one colour are alike.</summary>
    public static double Correlation(float[] one, float[] other)
    {
        double sum = 0, first = 0, second = 0;
        for (var i = 0; i < one.Length; i++)
        {
            sum += one[i] * other[i];
            first += one[i] * one[i];
            second += other[i] * other[i];
        }
        return first == 0 || second == 0 ? first == second ? 1 : 0 : sum;
    }
}

/// <summary>Hashes by their pieces: two that differ in at most d bits have one of d + 1 pieces in common.</summary>
internal sealed class HashPieces(int distance)
{
    private readonly Dictionary<(int Piece, ulong Bits), List<int>> buckets = [];

    public void Add(ulong hash, int index)
    {
        foreach (var key in Keys(hash))
        {
            if (!buckets.TryGetValue(key, out var bucket)) buckets[key] = bucket = [];
            bucket.Add(index);
        }
    }

    public SortedSet<int> Find(ulong hash) => [.. Keys(hash).SelectMany(key => buckets.GetValueOrDefault(key) ?? [])];

    private IEnumerable<(int, ulong)> Keys(ulong hash)
    {
        for (var piece = 0; piece <= distance; piece++)
        {
            var (from, to) = (64 * piece / (distance + 1), 64 * (piece + 1) / (distance + 1));
            yield return (piece, to - from == 64 ? hash : (hash >> from) & ((1UL << (to - from)) - 1));
        }
    }
}
