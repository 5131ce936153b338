using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Where a target's point lies in the source: x' = XX·x + XY·y + X0, y' = YX·x + YY·y + Y0, in pixels from the upper left corner.</summary>
internal readonly record struct Affine(float XX, float XY, float X0, float YX, float YY, float Y0)
{
    private const byte White = 255;

    /// <summary>The picture seen through the map, in its own size: bilinear.</summary>
    /// <param name="white">Whether white comes in where the source ends, or its outermost pixels go on.</param>
    public Picture Apply(Picture picture, bool white)
    {
        var (width, height, from) = (picture.Width, picture.Height, picture.Rgb);
        var to = new byte[from.Length];
        for (int y = 0, at = 0; y < height; y++)
            for (var x = 0; x < width; x++, at += 3)
            {
                // Centres of pixels, so that the identity is exact.
                var (u, v) = (XX * (x + 0.5f) + XY * (y + 0.5f) + X0 - 0.5f, YX * (x + 0.5f) + YY * (y + 0.5f) + Y0 - 0.5f);
                var (left, top) = ((int)MathF.Floor(u), (int)MathF.Floor(v));
                if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) Edge(picture, white, left, top, u - left, v - top, to.AsSpan(at, 3));
                else Inside(from, 3 * (top * width + left), 3 * width, u - left, v - top, to.AsSpan(at, 3));
            }
        return picture with { Rgb = to };
    }

    private static void Inside(byte[] from, int at, int row, float right, float down, Span<byte> to)
    {
        var (a, b, c, d) = ((1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down);
        for (var channel = 0; channel < 3; channel++)
            to[channel] = (byte)(a * from[at + channel] + b * from[at + 3 + channel] + c * from[at + row + channel] + d * from[at + row + 3 + channel] + 0.5f);
    }

    private static void Edge(Picture picture, bool white, int left, int top, float right, float down, Span<byte> to)
    {
        for (var channel = 0; channel < 3; channel++)
        {
            float At(int x, int y)
            {
                var (nearX, nearY) = (Math.Clamp(x, 0, picture.Width - 1), Math.Clamp(y, 0, picture.Height - 1));
                return white && (nearX != x || nearY != y) ? White : picture.Rgb[3 * (nearY * picture.Width + nearX) + channel];
            }
            var upper = (1 - right) * At(left, top) + right * At(left + 1, top);
            var lower = (1 - right) * At(left, top + 1) + right * At(left + 1, top + 1);
            to[channel] = (byte)((1 - down) * upper + down * lower + 0.5f);
        }
    }
}
