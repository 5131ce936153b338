using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests;

/// <summary>What a caller may not do to the server: send too much, too slowly, or not read. After each it still answers.</summary>
public sealed class LimitsTests
{
    private static string Question(string content) => $$"""{"model":"echo","messages":[{"role":"user","content":"{{content}}"}]}""";

    private static Task<TestServer> Small() => TestServer.StartAsync(server => server with { MaxBodyBytes = 1 << 20 });

    private static async Task IsRefused(HttpResponseMessage response, HttpStatusCode status, string message)
    {
        Assert.Equal(status, response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.Contains(message, (string)error["message"]!, StringComparison.Ordinal);
        Assert.NotNull((string)error["type"]!);
    }

    private static ByteArrayContent Packed(string text, string encoding)
    {
        using var packed = new MemoryStream();
        using (Stream packing = encoding == "br" ? new BrotliStream(packed, CompressionLevel.Fastest, true) : new GZipStream(packed, CompressionLevel.Fastest, true)) packing.Write(Encoding.UTF8.GetBytes(text));
        return Encoded(packed.ToArray(), encoding);
    }

    private static ByteArrayContent Encoded(byte[] bytes, string encoding)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add(encoding);
        return content;
    }

    [Fact]
    public async Task Body_OfUnknownLength_Is413WhenItGrowsTooLong()
    {
        await using var server = await Small();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Question(new string('x', 2 << 20)), null, "application/json") };
        request.Headers.TransferEncodingChunked = true;

        await IsRefused(await server.Client.SendAsync(request), HttpStatusCode.RequestEntityTooLarge, "more than 1 MB");
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task PackedBody_IsUnpacked(string encoding)
    {
        await using var server = await Small();

        var response = await server.Client.PostAsync("/v1/chat/completions", Packed(Question("packed"), encoding));

        Assert.Equal("packed", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["choices"]![0]!["message"]!["content"]!);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task PackedBody_ThatUnpacksToMore_Is413(string encoding)
    {
        await using var server = await Small();
        var bomb = Packed(Question(new string('x', 64 << 20)), encoding);
        Assert.True(bomb.Headers.ContentLength < 1 << 20);

        await IsRefused(await server.Client.PostAsync("/v1/chat/completions", bomb), HttpStatusCode.RequestEntityTooLarge, "more than 1 MB");
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Theory]
    [InlineData("gzip", HttpStatusCode.BadRequest, "Content-Encoding")]
    [InlineData("br", HttpStatusCode.BadRequest, "Content-Encoding")]
    [InlineData("zstd-no", HttpStatusCode.UnsupportedMediaType, "Content-Encoding")]
    public async Task PackedBody_NotPackedSo_IsRefused(string encoding, HttpStatusCode status, string message)
    {
        await using var server = await Small();

        await IsRefused(await server.Client.PostAsync("/v1/chat/completions", Encoded(Encoding.UTF8.GetBytes(Question("plain")), encoding)), status, message);
    }

    [Fact]
    public async Task Body_ThatStalls_Is408()
    {
        await using var server = await TestServer.StartAsync(server => server with { StallTimeout = TimeSpan.FromSeconds(2) });
        using var slow = await ConnectAsync(server, "Content-Length: 1000\r\n\r\n{\"model\"");

        var answer = await ReadToEndAsync(slow);

        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("\"invalid_request_error\"", answer, StringComparison.Ordinal);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Headers_ThatStall_AreCutOff()
    {
        await using var server = await TestServer.StartAsync(server => server with { StallTimeout = TimeSpan.FromSeconds(2) });
        using var slow = await ConnectAsync(server, "X-Begun: ");

        Assert.StartsWith("HTTP/1.1 408", await ReadToEndAsync(slow), StringComparison.Ordinal);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Stream_ThatNobodyReads_EndsTheAnswer()
    {
        await using var server = await TestServer.StartAsync(server => server with { StallTimeout = TimeSpan.FromSeconds(2) });
        var body = Question(new string('x', 1 << 20)).Replace("{\"model", "{\"stream\":true,\"model", StringComparison.Ordinal);
        using var deaf = await ConnectAsync(server, $"Content-Length: {body.Length}\r\n\r\n{body}");

        await Until(() => server.Model.Asked.Count == 1 && server.Model.Open == 0);

        Assert.True(server.Model.Said < 1 << 20, "the answer was written to its end though nobody read it");
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Stream_LongerThanAllowed_BreaksOffWithoutAnEnd()
    {
        await using var server = await TestServer.StartAsync(server => server with { RequestTimeout = TimeSpan.FromSeconds(3) });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(Question(FakeModel.Slow + new string('x', 3000)).Replace("{\"model", "{\"stream\":true,\"model", StringComparison.Ordinal), null, "application/json"),
        };
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var lines = new List<string>();
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (await reader.ReadLineAsync() is { } line) lines.Add(line);
        });

        Assert.NotEmpty(lines);
        Assert.DoesNotContain(lines, line => line.Contains("[DONE]", StringComparison.Ordinal) || line.Contains("\"stop\"", StringComparison.Ordinal));
    }

    private static async Task Until(Func<bool> reached)
    {
        for (var i = 0; i < 3000 && !reached(); i++) await Task.Delay(10);
        Assert.True(reached());
    }

    // A client that keeps no promise of HTTP's.
    private static async Task<TcpClient> ConnectAsync(TestServer server, string rest)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(server.Address.Host, server.Address.Port);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{rest}"));
        return client;
    }

    private static async Task<string> ReadToEndAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync();
    }
}
