using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

public sealed class VideoTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public void Run_MovingScenes_ReportsTheControlOfShuffledFrames()
    {
        var report = Path.Combine(host.Folder, "report.json");
        host.Run(["run", HostProcess.Project("video.json"), "--report", report, .. Tiny]).Succeeded();

        var evaluations = HostProcess.Json(report)["evaluations"]!.AsArray();
        foreach (var task in new[] { "direction", "order", "events" })
            Assert.Contains(evaluations, row => (string)row!["metric"]! == $"vqa-accuracy:{task}" && (double)row["shuffled"]! >= 0 && (double)row["blind"]! > 0);
        host.Run("export", "latest", "--format", "onnx", "--out", "out").Succeeded();
        Assert.Equal(["video.onnx"], Directory.GetFiles(Path.Combine(host.Folder, "out")).Select(Path.GetFileName));
        var example = Directory.GetFiles(Path.Combine(host.LatestRun(), "examples"), "*.apng").Order(StringComparer.Ordinal).First();
        Skip(() => Assert.NotEqual("", (string?)JsonNode.Parse(host.Run("chat", "latest", "--video", example, "--json", "--max-tokens", "3", "what happens?").Succeeded().Output)!["question"]));
    }

    [SkippableFact]
    public void DataBuild_OfVideosWithSubtitles_IsInspectedAndTrainedOn()
    {
        NeedFfmpeg();
        for (var i = 0; i < 6; i++) Video($"{i}.mp4", 400 + 50 * i);
        File.WriteAllText(Path.Combine(host.Folder, "subtitles.srt"), "1\n00:00:00,000 --> 00:00:01,000\na pattern\n\n2\n00:00:01,000 --> 00:00:02,000\nthe pattern moves\n\n3\nnow --> then\nbad\n");
        File.WriteAllText(Path.Combine(host.Folder, "5.vtt"), "WEBVTT\n\n00:00.500 --> 00:01.500\nbeside it\n");
        var torn = Path.Combine(host.Folder, "4.mp4");
        File.WriteAllBytes(torn, File.ReadAllBytes(torn)[..^2000]); // its index is at its end
        object[] rows = [.. Enumerable.Range(0, 5).Select(i => (object)new { video_path = $"{i}.mp4", subtitles_path = "subtitles.srt" }), new { video_path = "5.mp4" }];
        File.WriteAllLines(Path.Combine(host.Folder, "manifest.jsonl"), rows.Select(row => JsonSerializer.Serialize(row)));

        var built = JsonNode.Parse(host.Run("data", "build", Project("source.manifest", "manifest.jsonl"), "--json").Succeeded().Output)!;
        Assert.Equal(9, (int)built["samples"]!); // two of each whole video, and the one that lies beside its video
        // A cue of the subtitles is none, and a video is torn.
        Assert.Equal([("source", 1), ("decode", 2)], built["counts"]!.AsArray().Select(count => ((string)count!["filter"]!, (int)count["dropped"]!)));
        var page = (string)JsonNode.Parse(host.Run("data", "inspect", "latest", "--json").Succeeded().Output)!["page"]!;
        var html = File.ReadAllText(page);
        Assert.Contains("<video controls src=\"data:video/mp4;base64,", html, StringComparison.Ordinal);
        Assert.Contains("#t=1,2\"", html, StringComparison.Ordinal);

        host.Run("run", Project("source.shards", (string)built["folder"]!)).Succeeded();
        Assert.Empty(HostProcess.Json(Path.Combine(host.LatestRun(), "run.json"))["rejected"]!.AsArray());
    }

    private static readonly string[] Tiny =
    [
        "--set", "data.settings.train=64", "--set", "data.settings.validation=8", "--set", "data.settings.test=30", "--set", "stages.0.steps=2", "--set", "stages.0.batch=4",
        "--set", "evaluate.0.limit=30", "--set", "evaluate.1.limit=4",
    ];

    private static bool HasFfmpeg => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, "ffmpeg")));

    private static void NeedFfmpeg() => Xunit.Skip.IfNot(HasFfmpeg, "needs the program ffmpeg: apt-get install ffmpeg");

    // Videos of files are decoded by ffmpeg; those of the corpus are not.
    private static void Skip(Action check)
    {
        if (HasFfmpeg) check();
    }

    private void Video(string name, int hertz)
    {
        using var process = Process.Start("ffmpeg", string.Create(CultureInfo.InvariantCulture,
            $"-v error -y -f lavfi -i testsrc=size=32x32:rate=8:duration=2 -f lavfi -i sine=frequency={hertz}:duration=2 -pix_fmt yuv420p {Path.Combine(host.Folder, name)}"));
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private string Project(string source, string path)
    {
        var file = Path.Combine(host.Folder, $"{source}.json");
        File.WriteAllText(file, $$"""
            {
              "name": "clips",
              "data": {
                "use": "{{source}}",
                "settings": { "path": {{JsonSerializer.Serialize(path)}} },
                "tokenizer": { "use": "tokenizer.byte-bpe", "settings": { "vocabulary": 300 } },
                "video": { "size": 16, "frames": 4, "rate": 4 }, "audio": { "rate": 4000, "seconds": 0.5 }, "text": { "length": 48 }
              },
              "graph": {
                "video":   { "use": "encoder.video",   "in": { "frames": "sample.video" },   "settings": { "width": 16, "layers": 1, "heads": 2, "feedForward": 16, "stemWidth": 4 } },
                "audio":   { "use": "encoder.log-mel", "in": { "samples": "sample.audio" },  "settings": { "width": 16, "layers": 1, "heads": 2, "feedForward": 16 } },
                "fusion":  { "use": "fusion.early",    "in": { "video": "video.tokens", "audio": "audio.tokens" } },
                "decoder": { "use": "decoder.causal",  "in": { "ids": "sample.text", "context": "fusion.context" }, "settings": { "width": 16, "layers": 1, "heads": 2, "keyValueHeads": 1, "feedForward": 16 } }
              },
              "stages": [{ "name": "learn", "steps": 3, "batch": 4, "objectives": { "caption": { "use": "objective.next-token" } } }]
            }
            """);
        return file;
    }
}
