// A dataset version as `pluginhost data build` writes it: tar shards in WebDataset layout with an index, read in place.
using System.ComponentModel;
using System.Security.Cryptography;
using System.Text.Json;
using PluginHost.Sdk;

namespace Source.Shards;

/// <summary>Settings of <c>source.shards</c>.</summary>
/// <param name="Path">The version's folder.</param>
/// <param name="Verify">Whether to compare each shard's SHA-256 when the source is opened.</param>
public sealed record ShardsOptions(
    [property: Description("The version's folder, relative to the project file.")] string Path = "version",
    [property: Description("Whether to compare each shard's SHA-256 when the source is opened; sizes are always compared.")] bool Verify = false);

/// <summary>Samples of a dataset version.</summary>
[Plugin("source.shards", "A dataset version in tar shards, as 'pluginhost data build' writes it.")]
public sealed class ShardsSource(ShardsOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context)
    {
        var folder = Path.GetFullPath(options.Path, Path.GetFullPath(context.Folder));
        var file = Path.Combine(folder, "version.json");
        try
        {
            using var manifest = JsonDocument.Parse(File.ReadAllBytes(file));
            return new VersionReader(folder, manifest.RootElement, options.Verify, context.Build.Cancellation).Read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"source.shards: cannot read '{file}': {error.Message} Set 'path' to the folder that 'pluginhost data build' names.");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UserErrorException($"source.shards: '{file}' or its index is damaged: {error.Message} Build the version again.");
        }
    }
}

/// <summary>Where a sample is.</summary>
internal readonly record struct SamplePlace(string Id, int Shard, long Offset);

/// <summary>Reads a version's manifest and index and holds them against the shards.</summary>
internal sealed class VersionReader(string folder, JsonElement manifest, bool verify, CancellationToken cancellation)
{
    private const int Format = 1;

    public ShardSamples Read()
    {
        if (manifest.GetProperty("format").GetInt32() != Format)
            throw Wrong("version.json", $"has the format {manifest.GetProperty("format")}, and this source reads {Format}");
        var shards = manifest.GetProperty("shards").EnumerateArray().Select(Shard).ToArray();
        var index = Path.Combine(folder, "index.jsonl");
        if (Hash(index) != manifest.GetProperty("index").GetString()) throw Wrong("index.jsonl", "is not the one that version.json was written with (its SHA-256 differs)");
        var places = new Dictionary<string, List<SamplePlace>>();
        foreach (var split in manifest.GetProperty("splits").EnumerateObject()) places[split.Name] = [];
        foreach (var line in File.ReadLines(index))
        {
            using var row = JsonDocument.Parse(line);
            var place = new SamplePlace(row.RootElement.GetProperty("id").GetString()!, row.RootElement.GetProperty("shard").GetInt32(), row.RootElement.GetProperty("offset").GetInt64());
            if (place.Shard < 0 || place.Shard >= shards.Length || place.Offset < 0 || place.Offset >= shards[place.Shard].Bytes)
                throw Wrong("index.jsonl", $"places '{place.Id}' at {place.Offset:N0} of shard {place.Shard}, where nothing is");
            places[row.RootElement.GetProperty("split").GetString()!].Add(place);
        }
        foreach (var split in manifest.GetProperty("splits").EnumerateObject())
            if (split.Value.GetInt32() is var stated && places[split.Name].Count != stated)
                throw Wrong("index.jsonl", $"has {places[split.Name].Count:N0} samples in the split '{split.Name}' where version.json states {stated:N0}");
        return new ShardSamples([.. shards.Select(shard => shard.Path)], places, Path.GetFileName(folder) + ":" + manifest.GetProperty("index").GetString());
    }

    private (string Path, long Bytes) Shard(JsonElement shard)
    {
        cancellation.ThrowIfCancellationRequested();
        var name = shard.GetProperty("file").GetString()!;
        var (info, bytes) = (new FileInfo(Path.Combine(folder, name)), shard.GetProperty("bytes").GetInt64());
        if (Path.GetFileName(name) != name) throw Wrong(name, "is no file of the version's folder");
        if (!info.Exists) throw Wrong(name, "is missing");
        if (info.Length != bytes) throw Wrong(name, $"has {info.Length:N0} bytes where version.json states {bytes:N0}");
        if (verify && Hash(info.FullName) != shard.GetProperty("sha256").GetString()) throw Wrong(name, "has another SHA-256 than version.json states: its content has changed");
        return (info.FullName, bytes);
    }

    private UserErrorException Wrong(string file, string what) =>
        new($"source.shards: {Path.Combine(folder, file)} {what}; copy the version again, or build it again with 'pluginhost data build'.");

    private static string Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
