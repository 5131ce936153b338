namespace PluginHost.Planted;

/// <summary>Real texts that are installed on the machine.</summary>
internal static class PlantedTexts
{
    private const string Nouns = "/usr/share/wordnet/data.noun";
    private const string Stamps = "/usr/share/tuxpaint/stamps";

    // Lexicographer files of animals, artefacts, food, natural objects and plants: everyday things.
    private static readonly HashSet<string> Everyday = ["05", "06", "13", "17", "20"];

    /// <summary>What is missing, for a person to read; null when all is there.</summary>
    public static string? Missing => !File.Exists(Nouns) ? "needs WordNet: apt-get install wordnet-base"
        : !Directory.Exists(Stamps) ? "needs the stamps: apt-get install tuxpaint-stamps-default" : null;

    /// <summary>English definitions of everyday nouns, without their examples.</summary>
    public static IReadOnlyList<string> Glosses() => [.. File.ReadLines(Nouns).Where(line => line[0] != ' ' && Everyday.Contains(line.Split(' ', 3)[1]))
        .Select(line => line[(line.IndexOf('|') + 1)..].Split("; \"")[0].Trim()).Where(text => text.Length >= 20).Distinct()];

    /// <summary>Captions of the stamps in a language.</summary>
    /// <param name="language">As the caption files name it: <c>zh_CN</c>, <c>de</c>; <c>en</c> is the first line.</param>
    public static IReadOnlyList<string> Captions(string language) => [.. Directory.EnumerateFiles(Stamps, "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(path => Caption(File.ReadAllLines(path), language)).OfType<string>().Where(text => text.Length > 0).Distinct()];

    private static string? Caption(string[] lines, string language) => language == "en" ? lines.FirstOrDefault()?.Trim()
        : lines.FirstOrDefault(line => line.StartsWith(language + ".utf8=", StringComparison.Ordinal))?[(language.Length + ".utf8=".Length)..].Trim();
}
