using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Datasets;

/// <summary>A shard of a version.</summary>
public sealed record Shard(string File, long Bytes, string Sha256);

/// <summary>
/// A dataset version on disk, immutable: <c>version.json</c> (name, shards with their SHA-256, counts, recipe), <c>index.jsonl</c> (each sample's
/// id, split, shard and offset), <c>decisions.jsonl</c> (what each filter decided, and why), <c>shard-000000.tar</c> and so on,
/// and <c>dropped.tar</c>, the first of what was dropped, to look at.
/// </summary>
public sealed class DatasetVersion
{
    private const string LatestAlias = "latest";

    private DatasetVersion(string path) => Path = System.IO.Path.GetFullPath(path);

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    public string DecisionsFile => File("decisions.jsonl");

    public string DroppedFile => File("dropped.tar");

    public string Page => File("inspect.html");

    public JsonObject Manifest => JsonNode.Parse(System.IO.File.ReadAllText(File("version.json")))!.AsObject();

    public IReadOnlyList<Shard> Shards =>
        [.. Manifest["shards"]!.AsArray().Select(shard => new Shard((string)shard!["file"]!, (long)shard["bytes"]!, (string)shard["sha256"]!))];

    /// <summary>Opens a folder that holds a whole version; null when it does not.</summary>
    public static DatasetVersion? At(string path) => System.IO.File.Exists(System.IO.Path.Combine(path, "version.json")) ? new DatasetVersion(path) : null;

    /// <summary>Finds a version by its folder, its name or the alias <c>latest</c>.</summary>
    /// <exception cref="UserErrorException">There is none; the message lists what there is.</exception>
    public static DatasetVersion Find(string folder, string version)
    {
        if (At(version) is { } given) return given;
        var alias = System.IO.Path.Combine(folder, LatestAlias);
        var name = version == LatestAlias && System.IO.File.Exists(alias) ? System.IO.File.ReadAllText(alias).Trim() : version;
        if (At(System.IO.Path.Combine(folder, name)) is { } found) return found;
        string[] known = Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Where(item => At(item) is not null).Select(item => System.IO.Path.GetFileName(item)!).Order()] : [];
        throw new UserErrorException($"There is no dataset version '{version}' in {System.IO.Path.GetFullPath(folder)}; {(known.Length == 0 ? "there are none yet: start with 'pluginhost data build PROJECT'" : $"there are {string.Join(", ", known)}")}.");
    }

    /// <summary>Makes this version the one that <c>latest</c> names.</summary>
    public void MakeLatest() => Config.AtomicFile.WriteText(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, LatestAlias), Name);

    /// <summary>Compares the index and every shard with the sizes and SHA-256 that the manifest states.</summary>
    /// <returns>What does not agree, a line each.</returns>
    public IReadOnlyList<string> Verify()
    {
        var wrong = new List<string>();
        var index = File("index.jsonl");
        if (!System.IO.File.Exists(index)) wrong.Add($"{index}: the index is missing");
        else if (Hash(index) != (string?)Manifest["index"]) wrong.Add($"{index}: the index is not the one that version.json was written with");
        foreach (var shard in Shards)
        {
            var path = File(shard.File);
            var info = new FileInfo(path);
            if (!info.Exists) wrong.Add($"{path}: the shard is missing");
            else if (info.Length != shard.Bytes) wrong.Add($"{path}: the shard has {info.Length:N0} bytes where version.json states {shard.Bytes:N0}");
            else if (Hash(path) != shard.Sha256) wrong.Add($"{path}: the shard's SHA-256 is not the one that version.json states: its content has changed");
        }
        return wrong;
    }

    /// <summary>Samples of a tar file in shard layout with the bytes of their media, by modality.</summary>
    public static IEnumerable<(JsonObject Record, IReadOnlyDictionary<string, (string Extension, byte[] Bytes)> Media)> Read(string tar)
    {
        using var stream = System.IO.File.OpenRead(tar);
        using var reader = new TarReader(stream);
        JsonObject? record = null;
        var media = new Dictionary<string, (string, byte[])>();
        while (reader.GetNextEntry() is { } entry)
        {
            var bytes = new byte[entry.Length];
            entry.DataStream?.ReadExactly(bytes);
            var extension = entry.Name[(entry.Name.IndexOf('.', StringComparison.Ordinal) + 1)..];
            if (extension != "json")
            {
                if (record?.FirstOrDefault(pair => pair.Value is JsonValue value && value.TryGetValue<string>(out var text) && text == extension && pair.Key is "image" or "audio" or "video").Key is { } modality)
                    media[modality] = (extension[(extension.LastIndexOf('.') + 1)..], bytes);
                continue;
            }
            if (record is not null) yield return (record, media);
            (record, media) = (JsonNode.Parse(bytes)!.AsObject(), []);
        }
        if (record is not null) yield return (record, media);
    }

    /// <summary>SHA-256 of a file.</summary>
    public static string Hash(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>The path of one of the version's files.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);
}
