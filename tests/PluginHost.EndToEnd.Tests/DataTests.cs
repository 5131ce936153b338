using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Campaign;

namespace PluginHost.EndToEnd.Tests;

public sealed class DataTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public void DataBuild_ThenRunOnItsShards_FiltersTransformsAndCountsWhatIsBad()
    {
        var rows = new List<object>();
        for (var i = 0; i < 24; i++)
        {
            Picture($"{i}.png", i == 7 ? 0 : 40 + 8 * i);
            rows.Add(new { id = $"{i}", text = $"picture number {i}", image_path = $"{i}.png" });
        }
        var torn = Path.Combine(host.Folder, "3.png");
        File.WriteAllBytes(torn, File.ReadAllBytes(torn)[..^60]);
        File.WriteAllLines(Path.Combine(host.Folder, "manifest.jsonl"), rows.Select(row => JsonSerializer.Serialize(row)));

        var built = JsonNode.Parse(host.Run("data", "build", Project("source.manifest", "manifest.jsonl"), "--json").Succeeded().Output)!;
        Assert.Equal(22, (int)built["samples"]!);
        Assert.Equal([("decode", 1), ("filter.media", 1)], built["counts"]!.AsArray().Select(count => ((string)count!["filter"]!, (int)count["dropped"]!)));
        Assert.Contains("too dark", built["counts"]![1]!["reasons"]!.AsObject().Single().Key, StringComparison.Ordinal);
        Assert.False((bool)JsonNode.Parse(host.Run("data", "build", Project("source.manifest", "manifest.jsonl"), "--json").Succeeded().Output)!["built"]!);

        // One picture of the version is damaged afterwards: it is left out, and the record says so.
        var version = (string)built["folder"]!;
        var shard = Path.Combine(version, "shard-000000.tar");
        var bytes = File.ReadAllBytes(shard);
        bytes.AsSpan(bytes.AsSpan().IndexOf("IDAT"u8) + 8, 40).Fill(0x55);
        File.WriteAllBytes(shard, bytes);
        host.Run("run", Project("source.shards", version)).Succeeded();
        var record = HostProcess.Json(Path.Combine(host.LatestRun(), "run.json"));
        Assert.Contains(shard, (string)Assert.Single(record["rejected"]!.AsArray())!["reason"]!, StringComparison.Ordinal);
        Assert.InRange((double)record["stages"]![0]!["dataWait"]!, 0, 1);
        Assert.Contains("transform.flip", record["plugins"]!.AsArray().Select(plugin => (string)plugin!["id"]!));
    }

    // A tenth of the campaign build-kills.
    [Fact]
    public async Task DataBuild_KilledAgainAndAgain_ComesToTheVersionOfABuildNeverKilled()
    {
        using var campaign = new BuildKills(HostProcess.Program, _ => { });
        await campaign.RunAsync(kills: 4);
    }

    private string Project(string source, string path)
    {
        var file = Path.Combine(host.Folder, $"{source}.json");
        File.WriteAllText(file, $$"""
            {
              "name": "small",
              "data": {
                "use": "{{source}}", "settings": { "path": {{JsonSerializer.Serialize(path)}} }, "filters": ["filter.media"],
                "transforms": [{ "use": "transform.flip", "chance": 0.5 }, "transform.token-dropout"], "workers": 2,
                "tokenizer": { "use": "tokenizer.byte-bpe", "settings": { "vocabulary": 300 } }, "image": { "size": 32 }, "text": { "length": 32 }
              },
              "graph": {
                "image": { "use": "encoder.vit", "in": { "pixels": "sample.image" }, "settings": { "width": 32, "layers": 1, "heads": 2, "patch": 16 } },
                "text":  { "use": "encoder.text-transformer", "in": { "ids": "sample.caption" }, "settings": { "width": 32, "layers": 1, "heads": 2 } }
              },
              "stages": [{ "name": "retrieve", "steps": 8, "batch": 8, "objectives": { "align": { "use": "objective.contrastive", "in": { "query": "image.pooled", "key": "text.pooled" } } } }]
            }
            """);
        return file;
    }

    /// <summary>Writes a PNG of 40 x 30 pixels in shades of grey up to a brightest one.</summary>
    private void Picture(string name, int brightest)
    {
        const int width = 40, height = 30;
        using var rows = new MemoryStream();
        using (var packed = new ZLibStream(rows, CompressionLevel.Optimal, leaveOpen: true))
            for (var y = 0; y < height; y++)
            {
                packed.WriteByte(0); // no prediction
                for (var x = 0; x < width; x++) packed.WriteByte((byte)(brightest * ((x * 7 + y * 13) % 40) / 40));
            }
        using var file = File.Create(Path.Combine(host.Folder, name));
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8; // bits; grey
        foreach (var (type, content) in new[] { ("IHDR", header), ("IDAT", rows.ToArray()), ("IEND", []) }) Chunk(file, type, content);
    }

    private static void Chunk(Stream file, string type, byte[] content)
    {
        var bytes = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(bytes, content.Length);
        System.Text.Encoding.ASCII.GetBytes(type, bytes.AsSpan(4));
        content.CopyTo(bytes.AsSpan(8));
        var check = uint.MaxValue;
        foreach (var value in bytes.AsSpan(4, content.Length + 4))
        {
            check ^= value;
            for (var bit = 0; bit < 8; bit++) check = (check >> 1) ^ ((check & 1) * 0xEDB88320);
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(content.Length + 8), ~check);
        file.Write(bytes);
    }
}
