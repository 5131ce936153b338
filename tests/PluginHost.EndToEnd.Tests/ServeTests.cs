using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

public sealed class ServeTests(ServedPocket served) : IClassFixture<ServedPocket>
{
    private static readonly byte[] Picture = Png(32, 32);

    private static object[] WithPicture(string question, byte[] picture) =>
        [new { type = "text", text = question }, new { type = "image_url", image_url = new { url = $"data:image/png;base64,{Convert.ToBase64String(picture)}" } }];

    private static object[] WithSound(byte[] sound) => [new { type = "text", text = "what is heard?" }, new { type = "input_audio", input_audio = new { data = Convert.ToBase64String(sound), format = "wav" } }];

    private static string TextOf(JsonNode answer) => (string)answer["choices"]![0]!["message"]!["content"]!;

    // A picture of the given size by its header, its pixels a chequer of 32 x 32.
    private static byte[] Png(int width, int height)
    {
        using var raw = new MemoryStream();
        using (var deflate = new System.IO.Compression.ZLibStream(raw, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            for (var y = 0; y < Math.Min(height, 32); y++)
            {
                deflate.WriteByte(0);
                for (var x = 0; x < Math.Min(width, 32) * 3; x++) deflate.WriteByte((byte)((x / 12 + y / 4) % 2 * 200));
            }
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, .. Chunk("IHDR", header), .. Chunk("IDAT", raw.ToArray()), .. Chunk("IEND", [])];

        static byte[] Chunk(string name, byte[] content)
        {
            byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(name), .. content];
            var chunk = new byte[body.Length + 8];
            BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
            body.CopyTo(chunk, 4);
            BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + body.Length), Crc32(body));
            return chunk;
        }

        static uint Crc32(byte[] bytes)
        {
            var crc = uint.MaxValue;
            foreach (var octet in bytes)
            {
                crc ^= octet;
                for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
            }
            return ~crc;
        }
    }

    private static byte[] Wav(int samples, int promised)
    {
        var bytes = new byte[44 + 2 * samples];
        "RIFF"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 36 + 2 * promised);
        "WAVEfmt "u8.CopyTo(bytes.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), 16);
        (bytes[20], bytes[22]) = (1, 1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), 4000);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), 8000);
        (bytes[32], bytes[34]) = (2, 16);
        "data"u8.CopyTo(bytes.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), 2 * promised);
        for (var i = 0; i < samples; i++) BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(44 + 2 * i), (short)(8000 * Math.Sin(i * 0.7)));
        return bytes;
    }

    [Fact]
    public async Task Chat_Greedy_IsWhatTheChatCommandSays()
    {
        var file = Path.Combine(served.Host.Folder, "picture.png");
        await File.WriteAllBytesAsync(file, Picture);

        var text = served.Host.Run("chat", "latest", "what colour is the star?", "--max-tokens", "12", "--json").Succeeded();
        var picture = served.Host.Run("chat", "latest", "what is there?", "--image", file, "--max-tokens", "12", "--json").Succeeded();

        Assert.Equal((string)JsonNode.Parse(text.Output)!["answer"]!, TextOf(await served.AskAsync("what colour is the star?")).Trim());
        Assert.Equal((string)JsonNode.Parse(picture.Output)!["answer"]!, TextOf(await served.AskAsync(WithPicture("what is there?", Picture))).Trim());
    }

    [Fact]
    public async Task Chat_WithASeed_IsTheSameWhateverElseIsAsked()
    {
        var alone = TextOf(await served.AskAsync(WithPicture("describe it", Picture), 40, 1, 7));

        var beside = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => served.AskAsync(i % 3 == 0 ? WithPicture("describe it", Picture) : $"question {i}", 40, 1, i % 3 == 0 ? 7 : i)));

        Assert.All(beside.Where((_, i) => i % 3 == 0), answer => Assert.Equal(alone, TextOf(answer)));
    }

    [Fact]
    public async Task Chat_SamePromptAgain_IsNotReadAgain()
    {
        const string question = "how many circles are to the left of the red square?";
        await served.AskAsync(WithPicture(question, Png(31, 32)), 2);

        var usage = (await served.AskAsync(WithPicture(question, Png(31, 32)), 2))["usage"]!;

        Assert.Equal((int)usage["prompt_tokens"]! - 1, (int)usage["prompt_tokens_details"]!["cached_tokens"]!);
    }

    [Fact]
    public async Task Chat_MediaTokensTypedAsText_AreText()
    {
        var typed = (await served.AskAsync("<image><audio> <answer> what?"))["usage"]!;

        var tokens = JsonNode.Parse(await (await served.PostAsync("/v1/tokenize", new { model = "pocket", prompt = "<image><audio> <answer> what?" })).Content.ReadAsStringAsync())!;
        Assert.Equal((int)tokens["count"]! + 2, (int)typed["prompt_tokens"]!); // the beginning, and where the answer begins
    }

    public static TheoryData<string, object, string> BadMedia => new()
    {
        { "image bomb", WithPicture("?", Png(30000, 30000)), "million are the most" },
        { "lying header", WithPicture("?", Png(3000, 3000)), "the image cannot be read" },
        { "one pixel", WithPicture("?", Png(1, 1)), "1x1 pixels show nothing" },
        { "cut picture", WithPicture("?", Picture[..60]), "the image cannot be read" },
        { "no picture", WithPicture("?", [1, 2, 3]), "the image cannot be read" },
        { "cut sound", WithSound(Wav(10, 4000)[..30]), "the audio cannot be read" },
        { "no samples", WithSound(Wav(0, 0)), "the audio cannot be read" },
        { "two pictures", WithPicture("?", Picture).Concat(WithPicture("", Png(1, 2))).ToArray(), "there is more than one image" },
        { "long prompt", new string('q', 4000), "tokens, and this model reads 160" },
    };

    [Theory]
    [MemberData(nameof(BadMedia))]
    public async Task Chat_BadMedia_AreRefusedAndTheServerGoesOn(string name, object content, string message)
    {
        var response = await served.PostAsync("/v1/chat/completions", new { model = "pocket", messages = new[] { new { role = "user", content } }, stream = true });

        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{name}: {response.StatusCode} {text}");
        var error = JsonNode.Parse(text)!["error"]!;
        Assert.Contains(message, (string)error["message"]!, StringComparison.Ordinal);
        Assert.Equal(name == "long prompt" ? "context_length_exceeded" : null, (string?)error["code"]);
        Assert.DoesNotContain(Path.GetTempPath(), text, StringComparison.Ordinal);
        Assert.NotNull(TextOf(await served.AskAsync("on?", 1)));
    }

    [Fact]
    public async Task Chat_JsonObject_IsOneWhateverTheModelWouldSay()
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var response = await served.PostAsync("/v1/chat/completions", new { model = "pocket", messages = new[] { new { role = "user", content = "what is there?" } }, seed, max_tokens = 140, response_format = new { type = "json_object" } });
            var choice = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["choices"]![0]!;
            var text = (string)choice["message"]!["content"]!;
            if ((string)choice["finish_reason"]! == "stop") Assert.NotNull(JsonNode.Parse(text)!.AsObject());
            else Assert.StartsWith("{", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Embeddings_TextsAndPictures_AreUnitVectorsOfOneSpace()
    {
        var input = new object[] { "a red star", WithPicture("", Picture)[1] };
        var answer = JsonNode.Parse(await (await served.PostAsync("/v1/embeddings", new { model = "pocket", input })).Content.ReadAsStringAsync())!;

        var vectors = answer["data"]!.AsArray().Select(item => item!["embedding"]!.AsArray().Select(value => (double)value!).ToArray()).ToList();
        Assert.Equal(vectors[0].Length, vectors[1].Length);
        Assert.All(vectors, vector => Assert.Equal(1, vector.Sum(value => value * value), 4));
    }

    [Fact]
    public async Task Swap_WhileStreamsRun_LetsThemFinishAndTheOldVersionGo()
    {
        var folder = Path.Combine(served.Host.Folder, "next", "Fusion.Mid");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Path.Combine(Path.GetDirectoryName(HostProcess.Program)!, "plugins", "Fusion.Mid"))) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        using var over = new CancellationTokenSource();
        async Task<int> Stream(int seed)
        {
            for (var count = 0; ; count++)
            {
                if (over.IsCancellationRequested) return count;
                var answer = await served.AskAsync(WithPicture("describe it", Png(20 + seed, 20)), 60, 1, seed);
                Assert.NotNull((string?)answer["choices"]![0]!["finish_reason"]);
            }
        }

        var streams = Enumerable.Range(0, 4).Select(Stream).ToList();
        var replies = new List<JsonNode>();
        for (var swap = 0; swap < 3; swap++)
        {
            var response = await served.PostAsync("/admin/plugins/fusion.mid/swap", new { folder });
            replies.Add(JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
        }
        await over.CancelAsync();

        Assert.All(await Task.WhenAll(streams), count => Assert.True(count > 0));
        Assert.All(replies, reply => Assert.True((bool)reply["done"]! && ((string)reply["text"]!).Contains("the version before is unloaded", StringComparison.Ordinal), (string)reply["text"]!));
    }

    [Fact]
    public async Task Sigterm_WithAnOpenStream_FinishesItAndEndsWithSuccess()
    {
        // A host of its own with the same run: two servers do not share their jobs.
        using var other = new HostProcess();
        var run = Path.Combine(other.Folder, "runs", Path.GetFileName(served.Host.LatestRun()));
        Directory.CreateDirectory(run);
        foreach (var file in Directory.GetFiles(served.Host.LatestRun(), "*.*").Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))) File.Copy(file, Path.Combine(run, Path.GetFileName(file)));
        await File.WriteAllTextAsync(Path.Combine(other.Folder, "runs", "latest"), Path.GetFileName(run));
        var (process, client) = await ServedPocket.StartAsync(other, "pocket");
        using (process)
        using (client)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
            {
                Content = JsonContent.Create(new { model = "pocket", messages = new[] { new { role = "user", content = "describe it" } }, max_tokens = 100, temperature = 1, seed = 1, stream = true }),
            };
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var ended = ServedPocket.StopAsync(process);

            Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(0, await ended);
        }
    }
}
