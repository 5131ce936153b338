using PluginHost.Sdk;

namespace PluginHost.Planted;

/// <summary>Pictures by formula, with what the published network of npm's nsfwjs says of them (nsfwjs.mjs in tests/campaign computes it anew).</summary>
internal static class DrawnPictures
{
    /// <summary>Pictures in the order of the script.</summary>
    public static IReadOnlyList<Picture> All { get; } =
    [
        Draw(224, 224, (x, y, c) => (x + 2 * y + 40 * c) & 255),
        Draw(224, 224, (x, y, c) => ((x * x + y * y) >> (4 + c)) & 255),
        Draw(224, 224, (x, y, c) => unchecked((x * 73856093) ^ (y * 19349663) ^ (c * 83492791)) & 255),
        Draw(200, 120, (x, y, c) => (x - 100) * (x - 100) + 3 * (y - 60) * (y - 60) < 6400 ? new[] { 224, 172, 105 }[c] - ((x + y) >> 3) : new[] { 60, 80, 120 }[c]),
        Draw(97, 301, (x, y, c) => (((x >> 3) ^ (y >> 4)) & 1) != 0 ? 250 - 30 * c : 20 + 60 * c),
    ];

    /// <summary>Outputs of nsfwjs 4.4.0 under tfjs 4.22.0 (backend cpu, Node): drawing, hentai, neutral, porn, sexy.</summary>
    public static IReadOnlyList<float[]> Published { get; } =
    [
        [0.10891040f, 0.03585845f, 0.80863047f, 0.04245145f, 0.00414926f],
        [0.17621806f, 0.01174536f, 0.80809766f, 0.00330335f, 0.00063558f],
        [0.02822683f, 0.00382191f, 0.95956427f, 0.00755142f, 0.00083554f],
        [0.25682580f, 0.00136244f, 0.74178851f, 0.00001737f, 0.00000587f],
        [0.00287086f, 0.00048839f, 0.99532372f, 0.00115906f, 0.00015802f],
    ];

    private static Picture Draw(int width, int height, Func<int, int, int, int> value) => new(width, height,
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from c in Enumerable.Range(0, 3) select (byte)value(x, y, c)]);
}
