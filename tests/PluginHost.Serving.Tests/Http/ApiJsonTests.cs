using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace PluginHost.Serving.Tests.Http;

/// <summary>Bodies that are made to cost more than they should: each is read in time that grows with its length, and answered with a few words.</summary>
public sealed class ApiJsonTests : IAsyncLifetime
{
    private const int Much = 4 << 20;

    private TestServer server = null!;

    public async Task InitializeAsync() => server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    private static string Repeated(string text) => new StringBuilder().Insert(0, text, Much / text.Length).ToString();

    private static readonly Dictionary<string, Func<string>> Bodies = new()
    {
        ["values"] = () => $$"""{"model":"echo","messages":[{{Repeated("0,")}}0]}""",
        ["empty objects"] = () => $$"""{"model":"echo","messages":[{{Repeated("{},")}}{}]}""",
        ["messages"] = () => $$"""{"model":"echo","messages":[{{Repeated("""{"role":"usr","content":"a"},""")}}{}]}""",
        ["parts"] = () => $$"""{"model":"echo","messages":[{"role":"user","content":[{{Repeated("""{"type":"txt"},""")}}{}]}]}""",
        ["unknown keys"] = () => $$"""{"model":"echo",{{string.Join(",", Enumerable.Range(0, 200_000).Select(i => $"\"temperatur{i}\":1"))}}}""",
        ["one key often"] = () => $$"""{"model":"echo",{{Repeated("\"a\":1,")}}"b":1}""",
        ["many keys twice"] = () => "{" + string.Join(",", Enumerable.Range(0, 200_000).Select(i => $"\"{i % 100_000}\":1")) + "}",
        ["a long key"] = () => $$"""{"{{Repeated("k")}}":[1,2,3,4],"model":"echo","messages":[]}""",
        ["long keys, nested"] = () => $$"""{"{{new string('k', 1 << 20)}}":{"{{new string('k', 1 << 20)}}":{"x":[{{string.Join(",", Enumerable.Repeat("1", 100_000))}}] } } }""",
        ["a long number"] = () => $$"""{"model":"echo","messages":[],"temperature":{{Repeated("9")}}}""",
        ["lines"] = () => $$"""{"model":"echo",{{Repeated("\n")}}"messages":[1]}""",
        ["deep"] = () => Repeated("["),
    };

    public static TheoryData<string> Costly => [.. Bodies.Keys];

    [Theory]
    [MemberData(nameof(Costly))]
    public async Task Post_BodyMadeToCost_IsRefusedInAFewWords(string what)
    {
        var response = await server.PostAsync("/v1/chat/completions", Bodies[what]());

        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.InRange(text.Length, 50, 30_000);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Post_ManyTokensOnOneLine_AreRead()
    {
        var tokens = string.Join(",", Enumerable.Repeat("[" + string.Join(",", Enumerable.Repeat("97", 300)) + "]", 2048));

        var response = await server.PostAsync("/v1/embeddings", $$"""{"model":"echo","input":[{{tokens}}]}""");

        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal(2048, answer["data"]!.AsArray().Count);
        Assert.Equal(2048 * 300, (int)answer["usage"]!["total_tokens"]!);
    }

    [Fact]
    public async Task Post_DamagedBodies_AreMistakesOrHarmless()
    {
        const string good = """{"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"é"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],"n":2,"stop":["a"],"temperature":0.5,"logprobs":true,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"auto","response_format":{"type":"text"}}""";
        var bytes = Encoding.UTF8.GetBytes(good);
        // A byte changed, left out or put in, at any place.
        var damage = Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte, Gen.Int[0, 2], (at, value, kind) => kind switch
        {
            0 => [.. bytes[..at], value, .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], .. bytes[(at + 1)..]],
            _ => (byte[])[.. bytes[..at], value, .. bytes[at..]],
        });

        await damage.SampleAsync(async body =>
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/json");
            using var response = await server.Client.PostAsync("/v1/chat/completions", content);
            Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.NotFound]);
            Assert.NotNull(JsonNode.Parse(await response.Content.ReadAsStringAsync())![response.IsSuccessStatusCode ? "choices" : "error"]);
        }, iter: 2000);
    }
}
