using System.Formats.Tar;
using System.Text.Json;
using PluginHost.Sdk;

namespace Source.Shards;

/// <summary>An open version: its index in memory, its samples read one by one where they lie.</summary>
internal sealed class ShardSamples(string[] shards, IReadOnlyDictionary<string, List<SamplePlace>> places, string fingerprint) : ISource
{
    private const int LargestRecord = 64 << 20; // bytes; a damaged header can state any size

    public IReadOnlyList<string> Splits { get; } = [.. places.Keys];

    public string Fingerprint => fingerprint;

    public int Count(string split) => places.TryGetValue(split, out var found) ? found.Count : 0;

    public Sample Read(string split, int index)
    {
        var place = places[split][index];
        var shard = shards[place.Shard];
        try
        {
            using var stream = new FileStream(shard, FileMode.Open, FileAccess.Read, FileShare.Read);
            stream.Position = place.Offset;
            using var reader = new TarReader(stream);
            return Read(shard, place, reader);
        }
        catch (Exception error) when (error is InvalidDataException or FormatException or JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException or OverflowException or NotSupportedException)
        {
            throw Bad(shard, place, $"the sample is damaged: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Bad(shard, place, $"the shard cannot be read: {error.Message}");
        }
    }

    public void Dispose()
    {
        // holds no files open
    }

    private static Sample Read(string shard, SamplePlace place, TarReader reader)
    {
        if (reader.GetNextEntry() is not { } first || !first.Name.EndsWith(".json", StringComparison.Ordinal) || first.Length > LargestRecord || first.DataStream is null)
            throw Bad(shard, place, $"index and shard disagree: no sample begins there");
        using var record = JsonDocument.Parse(first.DataStream);
        var root = record.RootElement;
        if (root.GetProperty("id").GetString() is var id && id != place.Id) throw Bad(shard, place, $"index and shard disagree: the sample there is '{id}'");
        var key = first.Name[..^"json".Length];
        var media = new Dictionary<string, MediaPart>();
        for (var left = Modalities.Count(modality => root.TryGetProperty(modality, out _)); left > 0; left--)
        {
            if (reader.GetNextEntry() is not { } entry || !entry.Name.StartsWith(key, StringComparison.Ordinal)) throw Bad(shard, place, "the sample is damaged: a medium is missing");
            media[entry.Name[key.Length..]] = new MediaPart(shard, entry.DataOffset, checked((int)entry.Length), Path.GetExtension(entry.Name));
        }
        MediaContent? Medium(string modality)
        {
            if (!root.TryGetProperty(modality, out var extension)) return null;
            var part = media.GetValueOrDefault(extension.GetString()!) ?? throw Bad(shard, place, $"the sample is damaged: its {modality} '{extension}' is missing");
            return root.TryGetProperty("spans", out var spans) && spans.TryGetProperty(modality, out var span) ? new MediaSpan(part, span[0].GetDouble(), span[1].GetDouble()) : part;
        }
        return new Sample(place.Id)
        {
            Image = Medium("image"),
            Audio = Medium("audio"),
            Video = Medium("video"),
            Texts = root.GetProperty("texts").EnumerateObject().ToDictionary(text => text.Name, text => text.Value.GetString()!),
            Turns = [.. root.GetProperty("turns").EnumerateArray().Select(turn =>
                new Turn(Text(turn, "task"), Text(turn, "prompt"), Text(turn, "answer"), Texts(turn, "needs")) { AlsoRight = Texts(turn, "alsoRight"), Tools = Tools(turn) })],
            ModalityWeights = root.GetProperty("weights").EnumerateObject().ToDictionary(weight => weight.Name, weight => weight.Value.GetDouble()),
        };
    }

    private static DeclaredFunction[] Tools(JsonElement turn) => !turn.TryGetProperty("tools", out var tools) ? []
        : [.. tools.EnumerateArray().Select(tool => new DeclaredFunction(Text(tool, "name"), Text(tool, "description"), tool.GetProperty("parameters").Clone()))];

    private static readonly string[] Modalities = ["image", "audio", "video"];

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static string[] Texts(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];

    private static BadSampleException Bad(string shard, SamplePlace place, string reason) => new($"{shard} at {place.Offset}: {reason}");
}
