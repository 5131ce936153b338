using PluginHost.Sdk;

namespace Filter.NearDuplicate;

/// <summary>
/// A picture at 32x32 pixels, whole and with a little of its margin cut away: a cropped copy looks like one of its original's views. What scaled,
/// compressed, brighter and darker copies have in common is the correlation of these small pictures.
/// </summary>
internal sealed class PictureViews
{
    /// <summary>Width and height of the pictures that views are made of, in pixels.</summary>
    public const int Size = 64;

    private const int Side = 32;
    private const int CoarseSide = 8;

    // Of width and height, at each side. Between two of them a copy is out of step by a quarter of a pixel at most.
    private static readonly double[] Margins = [0, 0.015, 0.03, 0.045];

    private readonly byte[][] views;

    public PictureViews(Picture picture) => views = [.. Margins.Select(margin => View(picture, margin))];

    /// <summary>The whole picture at 8x8 pixels, of mean 0 and length 1; all 0 where it has one colour.</summary>
    public float[] Coarse()
    {
        const int Part = Side / CoarseSide;
        var coarse = new float[3 * CoarseSide * CoarseSide];
        for (var i = 0; i < views[0].Length; i++)
        {
            var (y, x, channel) = (i / 3 / Side, i / 3 % Side, i % 3);
            coarse[3 * (y / Part * CoarseSide + x / Part) + channel] += views[0][i];
        }
        var mean = coarse.Average();
        var length = MathF.Sqrt(coarse.Sum(value => (value - mean) * (value - mean)));
        return [.. coarse.Select(value => length > 1 ? (value - mean) / length : 0)];
    }

    /// <summary>The best correlation, from -1 to 1, of one whole picture with a view of the other; pictures of one colour are alike.</summary>
    public double Likeness(PictureViews other) =>
        Math.Max(views.Max(view => Correlation(view, other.views[0])), other.views.Max(view => Correlation(view, views[0])));

    private static double Correlation(byte[] one, byte[] other)
    {
        long first = 0, second = 0, squares = 0, otherSquares = 0, products = 0;
        for (var i = 0; i < one.Length; i++)
        {
            var (a, b) = (one[i], other[i]);
            first += a;
            second += b;
            squares += a * a;
            otherSquares += b * b;
            products += a * b;
        }
        double count = one.Length;
        var (deviation, otherDeviation) = (squares - first * first / count, otherSquares - second * second / count);
        if (deviation < 1 || otherDeviation < 1) return deviation < 1 && otherDeviation < 1 ? 1 : 0;
        return (products - first * second / count) / Math.Sqrt(deviation * otherDeviation);
    }

    /// <summary>Each pixel is the mean of the area that it covers.</summary>
    private static byte[] View(Picture picture, double margin)
    {
        var (columns, rows) = (Cells(picture.Width, margin), Cells(picture.Height, margin));
        var view = new byte[3 * Side * Side];
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
            {
                double red = 0, green = 0, blue = 0;
                foreach (var (row, high) in rows[y])
                    foreach (var (column, wide) in columns[x])
                    {
                        var rgb = picture.Rgb.AsSpan(3 * (row * picture.Width + column), 3);
                        var part = high * wide;
                        (red, green, blue) = (red + part * rgb[0], green + part * rgb[1], blue + part * rgb[2]);
                    }
                var at = 3 * (y * Side + x);
                (view[at], view[at + 1], view[at + 2]) = (Rounded(red), Rounded(green), Rounded(blue));
            }
        return view;
    }

    private static byte Rounded(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);

    /// <summary>The pixels of a line that each cell covers, with their shares of it, which sum to 1.</summary>
    private static (int Pixel, double Share)[][] Cells(int pixels, double margin)
    {
        var width = pixels * (1 - 2 * margin) / Side;
        return [.. Enumerable.Range(0, Side).Select(cell =>
        {
            var (from, to) = (pixels * margin + cell * width, pixels * margin + (cell + 1) * width);
            var (first, last) = ((int)from, Math.Min(pixels - 1, (int)Math.Ceiling(to) - 1));
            return Enumerable.Range(first, Math.Max(1, last - first + 1)).Select(pixel => (pixel, last <= first ? 1 : (Math.Min(pixel + 1, to) - Math.Max(pixel, from)) / width)).ToArray();
        })];
    }
}

/// <summary>
/// Pictures by the signs of random projections of their coarse form (Charikar 2002): two whose forms stand at the angle a agree in a sign with chance
/// 1 - a/π. Of 24 bands with 16 signs each, forms that correlate with 0.95 share one with chance 0.99, with 0.5 with chance 0.04.
/// </summary>
internal sealed class PictureBands
{
    private const int Bands = 24;
    private const int Signs = 16;

    private readonly Dictionary<(int Band, int Signs), List<int>> buckets = [];

    public void Add(float[] coarse, int index)
    {
        foreach (var key in Keys(coarse))
        {
            if (!buckets.TryGetValue(key, out var bucket)) buckets[key] = bucket = [];
            bucket.Add(index);
        }
    }

    public SortedSet<int> Find(float[] coarse) => [.. Keys(coarse).SelectMany(key => buckets.GetValueOrDefault(key) ?? [])];

    private static IEnumerable<(int, int)> Keys(float[] coarse)
    {
        for (var band = 0; band < Bands; band++)
        {
            var signs = 0;
            for (var sign = 0; sign < Signs; sign++)
                if (Projection(coarse, band * Signs + sign) > 0) signs |= 1 << sign;
            yield return (band, signs);
        }
    }

    // Onto a direction whose components are 1 or -1, drawn by hashing (Achlioptas 2003).
    private static float Projection(float[] coarse, int direction)
    {
        var (sum, bits) = (0f, 0UL);
        for (var i = 0; i < coarse.Length; i++, bits >>= 1)
        {
            if (i % 64 == 0) bits = MinHash.Mix((ulong)(direction * 64 + i / 64 + 1) * 0x9E3779B97F4A7C15);
            sum += (bits & 1) == 0 ? coarse[i] : -coarse[i];
        }
        return sum;
    }
}
