using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Runs;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Datasets;

/// <summary>
/// Builds a dataset version. All is written into <c>NAME.partial</c>: first the decisions, then shard after shard, each whole or not there; last the manifest,
/// and the folder gets its name. A build that is killed goes on after its last whole shard and ends with the same bytes.
/// </summary>
/// <param name="source">The open source.</param>
/// <param name="folder">Where versions lie.</param>
/// <param name="name">The project's name.</param>
/// <param name="recipe">Everything that decides what comes out: resolved config, plugins with versions and hashes.</param>
/// <param name="progress">Told what is done, and which part of it.</param>
public sealed class DatasetBuild(ISource source, string folder, string name, JsonObject recipe, Action<string, double> progress, CancellationToken cancellation)
{
    private const int ShownDrops = 200;
    private const string Manifest = "version.json";
    private const string KeptFile = "kept.jsonl";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A shard is closed once it has this many bytes.</summary>
    public long ShardBytes { get; init; } = 256L << 20;

    /// <summary>Stands between the build and the disk, for tests of a full one.</summary>
    internal Func<Stream, Stream> Disk { get; init; } = stream => stream;

    /// <summary>The whole version, built, continued or found.</summary>
    /// <param name="filter">Runs the filters; not called when their decisions are there already.</param>
    /// <returns>The version, and whether anything had to be written.</returns>
    /// <exception cref="RunFailedException">The disk is full or cannot be written; what is whole stays.</exception>
    public (DatasetVersion Version, bool Built) Run(Func<FilterOutcome> filter)
    {
        var path = Path.Combine(folder, $"{name}-{Fingerprint()[..12]}");
        if (DatasetVersion.At(path) is { } there) return (there, false);
        var partial = path + ".partial";
        try
        {
            Directory.CreateDirectory(partial);
            foreach (var torn in Directory.GetFiles(partial, "*.tmp")) File.Delete(torn); // of a build that was killed
            if (!File.Exists(Path.Combine(partial, Manifest)))
            {
                var kept = Decisions(partial, filter);
                WriteShards(partial, kept);
                Finish(partial, kept.Count);
            }
            foreach (var step in Directory.GetFiles(partial, "shard-*.jsonl").Append(Path.Combine(partial, KeptFile))) File.Delete(step);
            Directory.Move(partial, path);
            AtomicFile.FlushFolder(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"{partial} cannot be written: {error.Message}; what is whole stays there, and the same command goes on from it");
        }
        return (DatasetVersion.At(path)!, true);
    }

    // The content itself, not what a source says of it: media may change and keep their size.
    private string Fingerprint()
    {
        var places = source.Splits.SelectMany(split => Enumerable.Range(0, source.Count(split)).Select(index => (split, index))).ToArray();
        var hashes = new byte[places.Length][];
        var done = 0;
        Parallel.For(0, places.Length, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            hashes[i] = SHA256.HashData(Content(places[i].split, places[i].index));
            progress("hashing", (double)Interlocked.Increment(ref done) / places.Length);
        });
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        all.AppendData(Encoding.UTF8.GetBytes(recipe.ToJsonString(Plain)));
        foreach (var hash in hashes) all.AppendData(hash);
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }

    private byte[] Content(string split, int index)
    {
        try
        {
            var sample = source.Read(split, index);
            using var content = new MemoryStream();
            content.Write(JsonSerializer.SerializeToUtf8Bytes(ShardWriter.Record(sample, split), Plain));
            foreach (var (modality, extension, bytes) in ShardWriter.Media(sample))
            {
                content.Write(Encoding.UTF8.GetBytes($"\n{modality} {extension} {bytes.Length}\n"));
                content.Write(bytes);
            }
            return content.ToArray();
        }
        catch (BadSampleException error)
        {
            return Encoding.UTF8.GetBytes(error.Message);
        }
    }

    private List<SamplePlace> Decisions(string partial, Func<FilterOutcome> filter)
    {
        var (decisions, keptFile) = (Path.Combine(partial, "decisions.jsonl"), Path.Combine(partial, KeptFile));
        if (File.Exists(keptFile))
            return [.. File.ReadLines(keptFile).Select(line => JsonNode.Parse(line)!).Select(row => new SamplePlace((string)row["split"]!, (int)row["index"]!, (string)row["id"]!))];
        var outcome = Filtered(filter);
        Write(decisions, stream => Lines(stream, outcome.Decisions.Select(decision => Row(decision))));
        WriteDropped(partial, outcome);
        // Last: where this file is, the others are whole.
        Write(keptFile, stream => Lines(stream, outcome.Kept.Select(place => new JsonObject { ["id"] = place.Id, ["split"] = place.Split, ["index"] = place.Index })));
        return [.. outcome.Kept];
    }

    // Decoders write too: copies for themselves, in another place.
    private static FilterOutcome Filtered(Func<FilterOutcome> filter)
    {
        try
        {
            return filter();
        }
        catch (IOException error)
        {
            throw new RunFailedException($"the samples cannot be filtered: {error.Message}; the same command begins again");
        }
    }

    private void WriteDropped(string partial, FilterOutcome outcome) => Write(Path.Combine(partial, "dropped.tar"), stream =>
    {
        using var writer = new ShardWriter(stream);
        var dropped = outcome.Decisions.Where(decision => !decision.Decision.Keep && decision.Round > 0).DistinctBy(decision => decision.Place.Id).Take(ShownDrops).ToArray();
        for (var i = 0; i < dropped.Length; i++) Write(writer, i, dropped[i].Place);
    });

    private void WriteShards(string partial, List<SamplePlace> kept)
    {
        for (int next = 0, shard = 0; next < kept.Count; shard++)
        {
            var file = $"shard-{shard:D6}.tar";
            var (path, index) = (Path.Combine(partial, file), Path.Combine(partial, $"shard-{shard:D6}.jsonl"));
            if (!File.Exists(index))
            {
                var rows = new List<JsonObject>();
                Write(path, stream => Shard(stream, kept, next, shard, rows));
                Write(index, stream => Lines(stream, rows));
            }
            next += File.ReadLines(index).Count();
        }
    }

    private void Shard(Stream stream, List<SamplePlace> kept, int next, int shard, List<JsonObject> rows)
    {
        using var writer = new ShardWriter(stream);
        for (; next < kept.Count && (rows.Count == 0 || stream.Position < ShardBytes); next++)
        {
            cancellation.ThrowIfCancellationRequested();
            rows.Add(new JsonObject { ["id"] = kept[next].Id, ["split"] = kept[next].Split, ["shard"] = shard, ["offset"] = stream.Position });
            Write(writer, next, kept[next]);
            progress("writing", (next + 1.0) / kept.Count);
        }
    }

    private void Write(ShardWriter writer, int number, SamplePlace place)
    {
        try
        {
            writer.Write(number, place.Split, source.Read(place.Split, place.Index));
        }
        catch (BadSampleException error)
        {
            throw new RunFailedException($"'{place.Id}' could be read when it was filtered, but not when it was written: {error.Message}; leave the data alone while a version is built");
        }
    }

    private void Finish(string partial, int samples)
    {
        var indices = Directory.GetFiles(partial, "shard-*.jsonl").Order(StringComparer.Ordinal).ToArray();
        Write(Path.Combine(partial, "index.jsonl"), stream =>
        {
            foreach (var index in indices) stream.Write(File.ReadAllBytes(index));
        });
        var manifest = new JsonObject
        {
            ["format"] = 1,
            ["name"] = Path.GetFileNameWithoutExtension(partial),
            ["samples"] = samples,
            ["splits"] = new JsonObject(source.Splits.Select(split => KeyValuePair.Create(split, (JsonNode?)Count(Path.Combine(partial, "index.jsonl"), split)))),
            ["index"] = DatasetVersion.Hash(Path.Combine(partial, "index.jsonl")),
            ["shards"] = new JsonArray([.. indices.Select(index => Path.ChangeExtension(index, ".tar")).Select(shard => new JsonObject
            {
                ["file"] = Path.GetFileName(shard),
                ["bytes"] = new FileInfo(shard).Length,
                ["sha256"] = DatasetVersion.Hash(shard),
            })]),
            ["counts"] = DecisionCounts.Of(Path.Combine(partial, "decisions.jsonl")),
            ["recipe"] = recipe.DeepClone(),
        };
        Write(Path.Combine(partial, Manifest), stream => stream.Write(Encoding.UTF8.GetBytes(manifest.ToJsonString(new JsonSerializerOptions(Plain) { WriteIndented = true }))));
    }

    private static int Count(string index, string split) => File.ReadLines(index).Count(line => (string?)JsonNode.Parse(line)!["split"] == split);

    private void Write(string path, Action<Stream> write) => AtomicFile.Write(path, stream => write(Disk(stream)));

    private static void Lines(Stream stream, IEnumerable<JsonObject> rows)
    {
        foreach (var row in rows)
        {
            stream.Write(JsonSerializer.SerializeToUtf8Bytes(row, Plain));
            stream.Write("\n"u8);
        }
    }

    private static JsonObject Row(SampleDecision row) => new()
    {
        ["id"] = row.Place.Id,
        ["split"] = row.Place.Split,
        ["round"] = row.Round,
        ["filter"] = row.Filter,
        ["keep"] = row.Decision.Keep,
        ["score"] = double.IsFinite(row.Decision.Score) ? row.Decision.Score : null,
        ["threshold"] = double.IsFinite(row.Decision.Threshold) ? row.Decision.Threshold : null,
        ["reason"] = row.Decision.Reason,
        ["similar"] = new JsonArray([.. row.Decision.Similar.Select(id => (JsonNode)id)]),
    };
}
