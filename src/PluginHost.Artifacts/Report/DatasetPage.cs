using System.Globalization;
using System.Text.Json.Nodes;
using PluginHost.Artifacts.Datasets;
using Scriban;
using Scriban.Runtime;

namespace PluginHost.Artifacts.Report;

/// <summary>A dataset version as one HTML page that needs no network: samples, counts, reasons, scores with their thresholds, near-duplicates side by side.</summary>
public static class DatasetPage
{
    private const int ShownSamples = 48;
    private const int ShownPairs = 24;
    private const int Bins = 40;
    private const int MostThresholds = 6;
    private const double LeastBar = 3; // of 150, so that a single sample can be seen
    private const int LargestMedium = 1 << 20; // bytes; a page is no archive

    // What browsers show by themselves.
    private static readonly Dictionary<string, string> MediaTypes = new()
    {
        ["png"] = "image/png",
        ["apng"] = "image/apng",
        ["jpg"] = "image/jpeg",
        ["jpeg"] = "image/jpeg",
        ["webp"] = "image/webp",
        ["gif"] = "image/gif",
        ["svg"] = "image/svg+xml",
        ["wav"] = "audio/wav",
        ["ogg"] = "audio/ogg",
        ["mp3"] = "audio/mpeg",
        ["flac"] = "audio/flac",
        ["mp4"] = "video/mp4",
        ["webm"] = "video/webm",
    };

    private static readonly Lazy<Template> Page = new(() =>
    {
        using var stream = typeof(DatasetPage).Assembly.GetManifestResourceStream("PluginHost.Artifacts.Report.dataset.html")!;
        using var reader = new StreamReader(stream);
        return Template.Parse(reader.ReadToEnd());
    });

    public static string Render(DatasetVersion version)
    {
        var manifest = version.Manifest;
        var decisions = File.ReadLines(version.DecisionsFile).Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();
        var dropped = DatasetVersion.Read(version.DroppedFile).Select(Card).ToDictionary(card => (string)card["id"]!);
        var wanted = decisions.Where(row => dropped.ContainsKey((string)row["id"]!)).SelectMany(row => row["similar"]!.AsArray()).Select(id => (string)id!).ToHashSet();
        var (samples, originals) = Kept(version, (int)manifest["samples"]!, wanted);
        var model = new ScriptObject
        {
            ["title"] = version.Name,
            ["samples"] = samples,
            ["total"] = (int)manifest["samples"]!,
            ["splits"] = string.Join(", ", manifest["splits"]!.AsObject().Select(split => $"{split.Value} {split.Key}")),
            ["shards"] = version.Shards.Select(shard => new ScriptObject { ["file"] = shard.File, ["size"] = Number(shard.Bytes / 1e6, "0.0"), ["hash"] = shard.Sha256 }).ToList(),
            ["counts"] = manifest["counts"]!.AsArray().Select(count => Count(count!)).ToList(),
            ["histograms"] = decisions.GroupBy(row => (Round: (int)row["round"]!, Filter: (string)row["filter"]!)).Where(group => group.Key.Round > 0).Select(group => Histogram(group.Key.Filter, [.. group])).OfType<ScriptObject>().ToList(),
            ["pairs"] = decisions.Where(row => !(bool)row["keep"]! && row["similar"]!.AsArray().Count > 0 && dropped.ContainsKey((string)row["id"]!) && originals.ContainsKey((string)row["similar"]![0]!)).Take(ShownPairs)
                .Select(row => new ScriptObject { ["reason"] = (string)row["reason"]!, ["kept"] = originals[(string)row["similar"]![0]!], ["dropped"] = dropped[(string)row["id"]!] }).ToList(),
            ["dropped"] = decisions.Where(row => !(bool)row["keep"]! && row["similar"]!.AsArray().Count == 0 && dropped.ContainsKey((string)row["id"]!)).Take(ShownSamples)
                .Select(row => new ScriptObject { ["reason"] = $"{row["filter"]}: {row["reason"]}", ["card"] = dropped[(string)row["id"]!] }).ToList(),
            ["unread"] = decisions.Where(row => (int)row["round"]! == 0).Take(ShownSamples)
                .Select(row => new ScriptObject { ["id"] = (string)row["id"]!, ["by"] = (string)row["filter"]!, ["reason"] = (string)row["reason"]! }).ToList(),
            ["unread_total"] = decisions.Count(row => (int)row["round"]! == 0),
            ["recipe"] = manifest["recipe"]!.ToJsonString(new() { WriteIndented = true }),
        };
        var context = new TemplateContext { LoopLimit = 0, LimitToString = 0 };
        context.PushGlobal(model);
        return Page.Value.Render(context);
    }

    // Spread evenly over the version, and those that others resemble.
    private static (List<ScriptObject> Shown, Dictionary<string, ScriptObject> Originals) Kept(DatasetVersion version, int total, HashSet<string> wanted)
    {
        var (shown, originals) = (new List<ScriptObject>(), new Dictionary<string, ScriptObject>());
        var every = Math.Max(1, (total + ShownSamples - 1) / ShownSamples);
        var number = 0;
        foreach (var sample in version.Shards.SelectMany(shard => DatasetVersion.Read(version.File(shard.File))))
        {
            if (number++ % every == 0) shown.Add(Card(sample));
            if (wanted.Contains((string)sample.Record["id"]!)) originals[(string)sample.Record["id"]!] = Card(sample);
        }
        // Zeros in a shard look like its end.
        if (number != total) throw new InvalidDataException($"version.json states {total:N0} samples, and {number:N0} are in the shards.");
        return (shown, originals);
    }

    private static ScriptObject Card((JsonObject Record, IReadOnlyDictionary<string, (string Extension, byte[] Bytes)> Media) sample) => new()
    {
        ["id"] = (string)sample.Record["id"]!,
        ["split"] = (string)sample.Record["split"]!,
        ["image"] = Uri(sample.Media, "image"),
        ["audio"] = Uri(sample.Media, "audio"),
        ["video"] = Uri(sample.Media, "video"),
        ["moving"] = sample.Media.TryGetValue("video", out var medium) && MediaTypes.GetValueOrDefault(medium.Extension)?.StartsWith("image/", StringComparison.Ordinal) == true,
        ["span"] = sample.Record["spans"]?["video"] is JsonArray span ? string.Create(CultureInfo.InvariantCulture, $"#t={(double)span[0]!},{(double)span[1]!}") : "",
        ["other"] = string.Join(", ", sample.Media.Where(medium => Uri(sample.Media, medium.Key) == "").Select(medium => $"{medium.Key}: .{medium.Value.Extension}, {medium.Value.Bytes.Length} bytes")),
        ["texts"] = sample.Record["texts"]!.AsObject().Select(text => new ScriptObject { ["language"] = text.Key, ["text"] = (string)text.Value! }).ToList(),
        ["turns"] = sample.Record["turns"]!.AsArray().Count,
    };

    private static string Uri(IReadOnlyDictionary<string, (string Extension, byte[] Bytes)> media, string modality) =>
        media.TryGetValue(modality, out var medium) && medium.Bytes.Length <= LargestMedium && MediaTypes.TryGetValue(medium.Extension, out var type)
            ? $"data:{type};base64,{Convert.ToBase64String(medium.Bytes)}" : "";

    private static ScriptObject Count(JsonNode count) => new()
    {
        ["round"] = (int)count["round"]!,
        ["filter"] = (string)count["filter"]!,
        ["kept"] = (int)count["kept"]!,
        ["dropped"] = (int)count["dropped"]!,
        ["reasons"] = count["reasons"]!.AsObject().Select(reason => new ScriptObject { ["text"] = reason.Key, ["count"] = (int)reason.Value! }).ToList(),
    };

    /// <summary>Bars of the scores; null when nothing was measured.</summary>
    private static ScriptObject? Histogram(string filter, IReadOnlyList<JsonObject> rows)
    {
        var measured = rows.Where(row => row["score"] is not null).ToArray();
        if (measured.Length == 0) return null;
        var thresholds = measured.Select(row => (double?)row["threshold"]).OfType<double>().Distinct().Order().ToArray();
        // A filter whose threshold differs from sample to sample is shown by the lowest and the highest.
        var spread = thresholds.Length > MostThresholds;
        if (spread) thresholds = [thresholds[0], thresholds[^1]];
        var scores = measured.Select(row => (double)row["score"]!).ToArray();
        var (least, most) = (scores.Concat(thresholds).Min(), scores.Concat(thresholds).Max());
        var width = most > least ? (most - least) / Bins : 1;
        var (kept, dropped) = (new int[Bins], new int[Bins]);
        for (var i = 0; i < scores.Length; i++)
            ((bool)measured[i]["keep"]! ? kept : dropped)[Math.Min(Bins - 1, (int)((scores[i] - least) / width))]++;
        var highest = Enumerable.Range(0, Bins).Max(bin => kept[bin] + dropped[bin]);
        // What was dropped is often little beside the rest, and what one looks for.
        double Height(int count) => count == 0 ? 0 : Math.Max(LeastBar, (150.0 - LeastBar) * count / highest - LeastBar);
        return new ScriptObject
        {
            ["filter"] = filter,
            ["count"] = measured.Length,
            ["unmeasured"] = rows.Count - measured.Length,
            ["spread"] = spread,
            ["least"] = Number(least, "0.###"),
            ["most"] = Number(most, "0.###"),
            ["thresholds"] = thresholds.Select(value => new ScriptObject { ["value"] = Number(value, "0.###"), ["x"] = Number((value - least) / (width * Bins) * 640, "0.0") }).ToList(),
            ["bars"] = Enumerable.Range(0, Bins).Select(bin => new ScriptObject
            {
                ["x"] = bin * 16,
                ["kept"] = Number(Height(kept[bin]), "0.0"),
                ["dropped"] = Number(Height(dropped[bin]), "0.0"),
                ["kept_y"] = Number(150 - Height(kept[bin]), "0.0"),
                ["dropped_y"] = Number(150 - Height(kept[bin]) - Height(dropped[bin]), "0.0"),
                ["title"] = $"{Number(least + bin * width, "0.###")} to {Number(least + (bin + 1) * width, "0.###")}: {kept[bin]} kept, {dropped[bin]} dropped",
            }).ToList(),
        };
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
