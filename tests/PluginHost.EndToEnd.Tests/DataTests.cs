using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Campaign;
using PluginHost.Catalog.Tests.Install;

namespace PluginHost.EndToEnd.Tests;

public sealed class DataTests : IDisposable
{
    /// <summary>A test picture of 32 x 24 pixels, by ffmpeg.</summary>
    private static readonly byte[] Jpeg = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAgyMjsyO0RERERERFFLUVRUVFFRUVFUVFRaWlpqampaWlpUVFpaZGRqanN2c21tam12dn19fZaWj4+vr7XX1///xACFAA" +
        "EBAQEBAAAAAAAAAAAAAAAHBgUAAQEBAAIDAQEAAAAAAAAAAAAABwUGAAQCCAMQAAAEBAQEBwEAAAAAAAAAAAADQQGBETECIYIEEnEyMxOxsiLRYVHxNBEAAAMGBQMEAwEBAAAAAAAAAAECQYHBIQQD" +
        "MRIRQnETFGFysTLwIsIzoVH/wAARCAAYACADARIAAhIAAxIA/9oADAMBAAIRAxEAPwCG0pe+bvTCPx7iy0nSz3eFo7JGY/BCTQ0a6qg7CTyl+SsDYWjeZyFHqdr4CKOSI8NSIUbcv8HaGhoqC0yEUs" +
        "YDup2vgHk1IjjUiPFaGjENBTU7XwGVO18Bk6U6b7Hq7YP9yTiD8j+grN5XDESjUU2DSQ0Idywm0ozTIlsYRl/zxPAWip2vgNXTmFNbtms1q/4CopYCHUq8k5N9MRMLYKvds27pGaU5svPs0Wim3OiE" +
        "+/sz9UOYRpqRFvtd039AoIaCS93OpZvOnwCNU7XwCSd3ptKmUWBqRAdb7P71AOIaCI9ZdZ31I+9TtfAHRZRk2vsbFqPgvEKun5YWj0CorZFqhvMRpn8U8Bo6lpZmlZ6mnHGWvEgRJ/rf9Z+5j//Z");

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
        // A photo that ends in the middle, a named pipe that nobody writes to, a sound on which its decoder hangs, and half a row.
        File.WriteAllBytes(Path.Combine(host.Folder, "torn.jpg"), Jpeg[..(Jpeg.Length * 3 / 4)]);
        Shell("mkfifo", Path.Combine(host.Folder, "pipe.png"));
        File.WriteAllText(Path.Combine(host.Folder, "hangs.mp3"), "a sound");
        HangingFfmpeg();
        rows.AddRange([new { id = "torn", text = "a photo", image_path = "torn.jpg" }, new { id = "pipe", text = "a pipe", image_path = "pipe.png" }, new { id = "hangs", text = "a sound", audio_path = "hangs.mp3" }]);
        File.WriteAllLines(Path.Combine(host.Folder, "manifest.jsonl"), [.. rows.Select(row => JsonSerializer.Serialize(row)), "{ \"id\": "]);

        var built = JsonNode.Parse(host.Run("data", "build", Project("source.manifest", "manifest.jsonl"), "--json").Succeeded().Output)!;
        Assert.Equal(22, (int)built["samples"]!);
        Assert.Equal([("source", 1), ("decode", 4), ("filter.media", 1)], built["counts"]!.AsArray().Select(count => ((string)count!["filter"]!, (int)count["dropped"]!)));
        Assert.Contains("too dark", built["counts"]![2]!["reasons"]!.AsObject().Single().Key, StringComparison.Ordinal);
        Assert.False((bool)JsonNode.Parse(host.Run("data", "build", Project("source.manifest", "manifest.jsonl"), "--json").Succeeded().Output)!["built"]!);

        var page = Inspected(version: "latest");
        Assert.All(["torn.jpg: the file is truncated", "pipe.png: the file is empty", "hangs.mp3: decoding took more than 2 s, and when tried again more than 4 s"], reason => Assert.Contains(reason, page, StringComparison.Ordinal));

        // Of the version, one picture is damaged afterwards, and another sample is no longer where the index says: both are left out, and the record says so.
        var version = (string)built["folder"]!;
        var shard = Path.Combine(version, "shard-000000.tar");
        var bytes = File.ReadAllBytes(shard);
        bytes.AsSpan(bytes.AsSpan().IndexOf("IDAT"u8) + 8, 40).Fill(0x55);
        bytes.AsSpan(bytes.AsSpan().IndexOf("000005.json"u8), 512).Clear();
        File.WriteAllBytes(shard, bytes);
        host.Run("run", Project("source.shards", version)).Succeeded();
        var record = HostProcess.Json(Path.Combine(host.LatestRun(), "run.json"));
        var reasons = record["rejected"]!.AsArray().Select(rejection => (string)rejection!["reason"]!).ToArray();
        Assert.Equal(2, reasons.Length);
        Assert.All(reasons, reason => Assert.StartsWith(shard, reason, StringComparison.Ordinal));
        Assert.Single(reasons, reason => reason.EndsWith("index and shard disagree: no sample begins there", StringComparison.Ordinal));
        Assert.All(reasons, reason => Assert.Contains(reason, File.ReadAllText(Path.Combine(host.LatestRun(), "report.html")), StringComparison.Ordinal));

        var verified = host.Run("data", "verify", version);
        Assert.Equal((1, true), (verified.ExitCode, verified.Output.Contains("shard-000000.tar: the shard's SHA-256 is not the one", StringComparison.Ordinal)));
        var inspected = host.Run("data", "inspect", version);
        Assert.Equal((2, $"{version} is damaged: version.json states 22 samples, and "), (inspected.ExitCode, inspected.Error[..inspected.Error.IndexOf("samples, and ", StringComparison.Ordinal)] + "samples, and "));
        Assert.Single(inspected.Error.Trim().Split('\n'));
        Assert.InRange((double)record["stages"]![0]!["dataWait"]!, 0, 1);
        Assert.Contains("transform.flip", record["plugins"]!.AsArray().Select(plugin => (string)plugin!["id"]!));
    }

    [SkippableFact]
    public void DataBuild_RealDiskFull_StopsWithOneLine_AndGoesOnAfterItsLastWholeShard()
    {
        using var disk = new SmallDisk(megabytes: 3);
        for (var i = 0; i < 6; i++) Sound($"{i}.wav", seconds: 10);
        File.WriteAllLines(Path.Combine(host.Folder, "manifest.jsonl"), Enumerable.Range(0, 6).Select(i => JsonSerializer.Serialize(new { id = $"{i}", text = $"sound number {i}", audio_path = $"{i}.wav" })));
        string[] build = ["data", "build", Project("source.manifest", "manifest.jsonl"), "--out", disk.Folder, "--shard", "1"];

        var stopped = host.Run(build);
        Assert.Equal(1, stopped.ExitCode);
        Assert.Matches("^.*small-.*[.]partial cannot be written: No space left on device.*; what is whole stays there, and the same command goes on from it$", Assert.Single(stopped.Error.Trim().Split('\n')));
        var whole = Directory.GetFiles(disk.Folder, "shard-000000.tar", SearchOption.AllDirectories).Single();
        var written = File.GetLastWriteTimeUtc(whole);
        Assert.Empty(Directory.GetFiles(disk.Folder, "version.json", SearchOption.AllDirectories));

        disk.Grow(megabytes: 12);
        var built = (string)JsonNode.Parse(host.Run([.. build, "--json"]).Succeeded().Output)!["folder"]!;
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(built, "shard-000000.tar")));
        Assert.Contains("shards are as they were built", host.Run("data", "verify", built).Succeeded().Output, StringComparison.Ordinal);

        // Decoders take copies of what lies in shards: where there is no room for them, no sample is to blame.
        Fill(Path.Combine(disk.Folder, "filled"));
        host.Environment["TMPDIR"] = disk.Folder;
        var refused = host.Run("data", "build", Project("source.shards", built));
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"No space left on device", Assert.Single(refused.Error.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.Contains($"make room in {disk.Folder}", refused.Error, StringComparison.Ordinal);
    }

    // A tenth of the campaign build-kills.
    [Fact]
    public async Task DataBuild_KilledAgainAndAgain_ComesToTheVersionOfABuildNeverKilled()
    {
        using var campaign = new BuildKills(HostProcess.Program, _ => { });
        await campaign.RunAsync(kills: 4);
    }

    private string Inspected(string version) =>
        File.ReadAllText((string)JsonNode.Parse(host.Run("data", "inspect", version, "--json").Succeeded().Output)!["page"]!);

    /// <summary>A program that is found as ffmpeg and never ends.</summary>
    private void HangingFfmpeg()
    {
        var folder = Directory.CreateDirectory(Path.Combine(host.Folder, "bin")).FullName;
        var program = Path.Combine(folder, "ffmpeg");
        File.WriteAllText(program, "#!/bin/sh\nexec sleep 600\n");
        Shell("chmod", "+x", program);
        host.Environment["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    private static void Shell(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static void Fill(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            for (var block = new byte[4096]; ;) file.Write(block);
        }
        catch (IOException)
        {
            // that was meant
        }
    }

    /// <summary>A tone at 44.1 kHz with 16 bits: 88 KB a second.</summary>
    private void Sound(string name, int seconds)
    {
        const int rate = 44100;
        using var file = new BinaryWriter(File.Create(Path.Combine(host.Folder, name)));
        file.Write("RIFF"u8);
        file.Write(36 + 2 * rate * seconds);
        file.Write("WAVEfmt "u8);
        file.Write(16);
        file.Write((short)1);
        file.Write((short)1);
        file.Write(rate);
        file.Write(2 * rate);
        file.Write((short)2);
        file.Write((short)16);
        file.Write("data"u8);
        file.Write(2 * rate * seconds);
        for (var i = 0; i < rate * seconds; i++) file.Write((short)(8000 * Math.Sin(i * 0.05)));
    }

    private string Project(string source, string path)
    {
        var file = Path.Combine(host.Folder, $"{source}.json");
        File.WriteAllText(file, $$"""
            {
              "name": "small",
              "data": {
                "use": "{{source}}", "settings": { "path": {{JsonSerializer.Serialize(path)}} }, "filters": ["filter.media"],
                "transforms": [{ "use": "transform.flip", "chance": 0.5 }, "transform.token-dropout"], "workers": 2, "decodeSeconds": 2,
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
