using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>Digits of three by five dots, to be read.</summary>
internal static class Digits
{
    private const int Columns = 3, Rows = 5;

    // Rows from the top, three bits each.
    private static readonly int[] Dots =
    [
        0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_111_001_111, 0b101_101_111_001_001,
        0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_010_010_010, 0b111_101_111_101_111, 0b111_101_111_001_111,
    ];

    /// <summary>Writes a mark's digit into its cell, in dark ink.</summary>
    public static void Write(Picture picture, Mark mark, ref Draw draw)
    {
        var (width, height) = (picture.Width / 2, picture.Height / 2);
        var dot = Math.Max(1, Math.Min(width / (Columns + 2), height / (Rows + 2)));
        var left = mark.Cell.Column * width + draw.Below(Math.Max(1, width - Columns * dot + 1));
        var top = mark.Cell.Row * height + draw.Below(Math.Max(1, height - Rows * dot + 1));
        for (var row = 0; row < Rows; row++)
            for (var column = 0; column < Columns; column++)
                if ((Dots[mark.Digit] >> (Rows * Columns - 1 - row * Columns - column) & 1) != 0) Fill(picture, left + column * dot, top + row * dot, dot);
    }

    private static void Fill(Picture picture, int left, int top, int dot)
    {
        const byte ink = 60;
        for (var y = top; y < Math.Min(top + dot, picture.Height); y++)
            for (var x = left; x < Math.Min(left + dot, picture.Width); x++) picture.Rgb.AsSpan(3 * (y * picture.Width + x), 3).Fill(ink);
    }
}
