using System.Buffers.Binary;
using System.IO.Hashing;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using PluginHost.Serving.Http.Media;
using SkiaSharp;

namespace PluginHost.Serving.Tests.Http.Media;

public sealed class RequestMediaTests
{
    private static string Part(string url) => """{"type":"image_url","image_url":{"url":"URL"}}""".Replace("URL", url, StringComparison.Ordinal);

    private static string Body(params string[] urls) =>
        $$"""{"model":"echo","stream":true,"messages":[{"role":"system","content":"look"},{"role":"user","content":[{"type":"text","text":"what?"},{{string.Join(",", urls.Select(Part))}}]}]}""";

    private static string Data(byte[] picture, string type = "image/png") => $"data:{type};base64,{Convert.ToBase64String(picture)}";

    private static async Task<TestServer> ServerFor(Origin origin) => await TestServer.StartAsync(configure: builder => builder.Services.AddSingleton(new MediaFetching
    {
        Hosts = [$"pictures.test:{origin.Port}"],
        MaxBytes = 4 << 20,
        Allows = IPAddress.IsLoopback,
        Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
    }));

    private static async Task<JsonNode> Refused(TestServer server, string path, string body)
    {
        var response = await server.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
    }

    [Fact]
    public async Task Post_AddressOfAListedHost_ReachesTheModelAsBytes()
    {
        await using var origin = await Origin.StartAsync();
        await using var server = await ServerFor(origin);

        var response = await server.PostAsync("/v1/chat/completions", Body($"http://pictures.test:{origin.Port}/a.png").Replace("\"stream\":true", "\"n\":1", StringComparison.Ordinal));

        Assert.Equal("what? [image/png 5]", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["choices"]![0]!["message"]!["content"]!);
    }

    [Fact]
    public async Task Post_AddressOfAnotherHost_IsRefusedInPlaceBeforeTheStream()
    {
        await using var origin = await Origin.StartAsync();
        await using var server = await ServerFor(origin);

        var error = await Refused(server, "/v1/chat/completions", Body("data:image/png;base64,AAAA", $"http://127.0.0.1:{origin.Port}/a.png"));

        Assert.Equal("messages[1].content[2]", (string)error["param"]!);
        Assert.Equal(0, origin.Visits);
        Assert.Empty(server.Model.Asked);
    }

    [Fact]
    public async Task Post_ManyAddresses_AreRefusedUnvisited()
    {
        await using var origin = await Origin.StartAsync();
        await using var server = await ServerFor(origin);

        var error = await Refused(server, "/v1/chat/completions", Body([.. Enumerable.Repeat($"http://pictures.test:{origin.Port}/a.png", RequestMedia.MostAddresses + 1)]));

        Assert.Contains("17 media by address; 16 are the most", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Equal(0, origin.Visits);
    }

    [Fact]
    public async Task Post_AddressesThatTogetherAreTooLarge_AreRefused()
    {
        await using var origin = await Origin.StartAsync();
        await using var server = await ServerFor(origin);
        var large = $"http://pictures.test:{origin.Port}/large.png";

        var error = await Refused(server, "/v1/chat/completions", Body(large, large));

        Assert.Contains("more than 4 MB together", (string)error["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("gif")]
    public async Task Post_PictureOfTooManyPixels_IsRefusedByItsHeader(string kind)
    {
        await using var server = await TestServer.StartAsync();
        var bomb = kind == "png" ? Png(30_000, 30_000) : Gif(60_000, 60_000);
        Assert.True(bomb.Length < 100);

        var error = await Refused(server, "/v1/chat/completions", Body(Data(bomb, "image/" + kind)));
        var embedding = await Refused(server, "/v1/embeddings", $$"""{"model":"echo","input":{{Part(Data(bomb))}}}""");

        Assert.Contains("million are the most", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Equal("messages[1].content[1]", (string)error["param"]!);
        Assert.Equal("input[0]", (string)embedding["param"]!);
        Assert.Empty(server.Model.Asked);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(64, 48)]
    public async Task Post_OrdinaryPicture_IsTheDecodersToJudge(int width, int height)
    {
        await using var server = await TestServer.StartAsync();
        using var bitmap = new SKBitmap(width, height);
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);

        var response = await server.PostAsync("/v1/chat/completions", Body(Data(encoded.ToArray())));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    // A header and an empty picture behind it.
    private static byte[] Png(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2); // bits, RGB
        return [0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, [0x78, 0x9C, 3, 0, 0, 0, 0, 1]), .. Chunk("IEND"u8, [])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] data)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        byte[] named = [.. name, .. data];
        var check = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(check, Crc32.HashToUInt32(named));
        return [.. length, .. named, .. check];
    }

    private static byte[] Gif(ushort width, ushort height) =>
    [
        .. "GIF89a"u8, (byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8), 0x80, 0, 0, 0, 0, 0, 255, 255, 255,
        0x2C, 0, 0, 0, 0, (byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8), 0, 2, 2, 0x44, 1, 0, 0x3B,
    ];
}
