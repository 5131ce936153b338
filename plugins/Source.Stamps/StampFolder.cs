using System.Text;
using PluginHost.Sdk;

namespace Source.Stamps;

/// <summary>A stamp on disk.</summary>
/// <param name="Id">Path below the stamps folder without extension.</param>
/// <param name="Image">Its PNG file.</param>
/// <param name="Sound">Its recording, if there is one.</param>
/// <param name="Captions">Captions by language.</param>
internal sealed record Stamp(string Id, string Image, string? Sound, IReadOnlyDictionary<string, string> Captions)
{
    /// <summary>The first folder of its path.</summary>
    public string Category => Id.Split('/')[0];
}

/// <summary>Finds the stamps below a folder: a picture <c>NAME.png</c> with its captions in <c>NAME.txt</c>.</summary>
internal sealed class StampFolder(string root, StampsOptions options)
{
    private const string Symbols = "symbols";
    private static readonly string[] DefaultLanguages = ["en", "zh", "fr"];

    private readonly HashSet<string> files = [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)];
    private readonly IReadOnlyList<string> languages = options.Languages ?? DefaultLanguages;

    public IReadOnlyList<Stamp> Scan(Action<Rejection> reject)
    {
        var stamps = new List<Stamp>();
        var (drawings, bare) = (0, 0);
        foreach (var path in files.Order(StringComparer.Ordinal))
        {
            var stem = Path.ChangeExtension(path, null);
            var captions = stem + ".txt";
            if (path.EndsWith(".svg", StringComparison.Ordinal) && files.Contains(captions) && !files.Contains(stem + ".png")) drawings++;
            if (!path.EndsWith(".png", StringComparison.Ordinal)) continue;
            if (!files.Contains(captions))
            {
                if (!IsVariant(stem)) bare++;
                continue;
            }
            var id = Path.GetRelativePath(root, stem).Replace('\\', '/');
            if (!options.Symbols && id.StartsWith(Symbols + "/", StringComparison.Ordinal)) continue;
            var texts = Captions(captions);
            if (texts.Count > 0) stamps.Add(new Stamp(id, path, Recording(stem), texts));
            else reject(new Rejection(id, $"its caption file has none of the languages {string.Join(", ", languages)}"));
        }
        if (drawings > 0) reject(new Rejection("*.svg", $"{drawings} stamps exist only as SVG and are left out"));
        if (bare > 0) reject(new Rejection("*.png", $"{bare} pictures have no caption and are left out"));
        return stamps;
    }

    /// <summary>Drawn anew for the other direction: the same stamp, not another.</summary>
    private bool IsVariant(string stem) => ((string[])["_mirror", "_flip"]).Any(ending =>
        stem.EndsWith(ending, StringComparison.Ordinal) && files.Contains(stem[..^ending.Length] + ".txt"));

    /// <summary>The first line is English; the others read <c>zh_CN.utf8=…</c>.</summary>
    private Dictionary<string, string> Captions(string path)
    {
        var lines = File.ReadAllLines(path, Encoding.UTF8);
        var found = new Dictionary<string, string>();
        foreach (var language in languages)
        {
            var prefix = (language == "zh" ? "zh_CN" : language) + ".utf8=";
            var line = language == "en" ? lines.FirstOrDefault() : lines.FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
            if (!string.IsNullOrWhiteSpace(line)) found[language] = line.Trim();
        }
        return found;
    }

    private string? Recording(string stem)
    {
        string[] candidates = options.Sound == StampSound.Effect
            ? [stem + ".ogg", stem + ".wav"]
            : options.Voice == "en" ? [stem + "_desc.ogg", stem + "_desc_en.ogg"] : [$"{stem}_desc_{options.Voice}.ogg"];
        return candidates.FirstOrDefault(files.Contains);
    }
}
