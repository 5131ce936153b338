using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
                // Pixels are read four bytes at a time.
                if (left < 0 || top < 0 || left >= width - 2 || top >= height - 1) Edge(picture, white, left, top, u - left, v - top, to.AsSpan(at, 3));
                else Inside(ref from[3 * (top * width + left)], 3 * width, u - left, v - top).CopyTo(to.AsSpan(at, 3));
            }
        return picture with { Rgb = to };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Rgb Inside(ref byte pixel, int row, float right, float down)
    {
        var upper = Pixels.Load(ref pixel) * (1 - right) + Pixels.Load(ref Unsafe.Add(ref pixel, 3)) * right;
        var lower = Pixels.Load(ref Unsafe.Add(ref pixel, row)) * (1 - right) + Pixels.Load(ref Unsafe.Add(ref pixel, row + 3)) * right;
        return new Rgb(upper * (1 - down) + lower * down);
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

/// <summary>Pixels as vectors of red, green, blue and something else.</summary>
internal static class Pixels
{
    /// <summary>Reads a pixel and the byte behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(ref byte pixel)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(ref pixel)).AsByte();
        return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32());
    }
}

/// <summary>A pixel's values, rounded and held to 0..255 when they are written.</summary>
internal readonly struct Rgb(Vector128<float> values)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CopyTo(Span<byte> to)
    {
        var whole = Vector128.ConvertToInt32(Vector128.Min(Vector128.Max(values + Vector128.Create(0.5f), Vector128<float>.Zero), Vector128.Create(255f)));
        ref var first = ref MemoryMarshal.GetReference(to);
        first = (byte)whole.GetElement(0);
        Unsafe.Add(ref first, 1) = (byte)whole.GetElement(1);
        Unsafe.Add(ref first, 2) = (byte)whole.GetElement(2);
    }
}
