using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Http;

public sealed class OtherEndpointTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async Task InitializeAsync() => server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    private async Task<JsonNode> Post(string path, string body)
    {
        var response = await server.PostAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    [Fact]
    public async Task Completions_TextsAndTokens_AreContinued()
    {
        var answer = await Post("/v1/completions", """{"model":"echo","prompt":["ab","cd"],"n":2,"max_tokens":1}""");

        Assert.Equal("text_completion", (string)answer["object"]!);
        Assert.Equal(["a", "a", "c", "c"], answer["choices"]!.AsArray().Select(choice => (string)choice!["text"]!));
        Assert.Equal((14, 4), ((int)answer["usage"]!["prompt_tokens"]!, (int)answer["usage"]!["completion_tokens"]!)); // each prompt once
        Assert.Equal("hi", (string)(await Post("/v1/completions", """{"model":"echo","prompt":[104,105]}"""))["choices"]![0]!["text"]!);
    }

    [Fact]
    public async Task Completions_Stream_EndsWithDone()
    {
        var events = (await (await server.PostAsync("/v1/completions", """{"model":"echo","prompt":"ab","stream":true}""")).Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("ab", string.Concat(events[..^1].Select(text => (string)JsonNode.Parse(text["data: ".Length..])!["choices"]![0]!["text"]!)));
        Assert.Equal("data: [DONE]", events[^1]);
    }

    [Fact]
    public async Task Embeddings_TextsTokensAndPictures_KeepTheirOrder()
    {
        var answer = await Post("/v1/embeddings", """{"model":"echo","input":["abc",[104,105],{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}""");

        Assert.Equal([3, 2, -1], answer["data"]!.AsArray().Select(item => (int)item!["embedding"]![0]!));
        Assert.Equal(5, (int)answer["usage"]!["total_tokens"]!);
        Assert.Equal(2, (int)(await Post("/v1/embeddings", """{"model":"echo","input":[104,105]}"""))["data"]![0]!["embedding"]![0]!);
        var packed = Convert.FromBase64String((string)(await Post("/v1/embeddings", """{"model":"echo","input":"abcd","encoding_format":"base64"}"""))["data"]![0]!["embedding"]!);
        Assert.Equal((4f, 0.5f), (BitConverter.ToSingle(packed, 0), BitConverter.ToSingle(packed, 4)));
    }

    [Theory]
    [InlineData("/v1/embeddings", """{"model":"echo","input":[]}""", "there are 0 inputs")]
    [InlineData("/v1/embeddings", """{"model":"echo","input":""}""", "a text that is not empty")]
    [InlineData("/v1/embeddings", """{"model":"echo","input":[70000]}""", "a token is a whole number from 0 to 65535")]
    [InlineData("/v1/embeddings", """{"model":"echo","input":"a","encoding_format":"flot"}""", "did you mean 'float'?")]
    [InlineData("/v1/completions", """{"model":"echo","prompt":{}}""", "a prompt is a text or a list of tokens")]
    [InlineData("/v1/completions", """{"model":"echo","prompt":"a","echo":true}""", "'echo' is not known to this server")]
    [InlineData("/v1/tokenize", """{"model":"echo"}""", "a request for tokens needs 'prompt'")]
    [InlineData("/v1/detokenize", """{"model":"echo","tokens":[-1]}""", "a token is a whole number")]
    public async Task Post_BadRequest_SaysWhatAndGoesOn(string path, string body, string message)
    {
        var response = await server.PostAsync(path, body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(message, (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Tokens_ThereAndBack_AreTheText()
    {
        var there = await Post("/v1/tokenize", """{"model":"echo","prompt":"hé"}""");
        Assert.Equal((2, 4096), ((int)there["count"]!, (int)there["max_model_len"]!));
        Assert.Equal("hé", (string)(await Post("/v1/detokenize", $$"""{"model":"echo","tokens":{{there["tokens"]!.ToJsonString()}}}"""))["prompt"]!);
    }

    [Fact]
    public async Task Models_List_SaysStateAndCapabilities()
    {
        var model = JsonNode.Parse(await server.Client.GetStringAsync("/v1/models"))!["data"]![0]!;

        Assert.Equal(("echo", "model", "ready", 86400L), ((string)model["id"]!, (string)model["object"]!, (string)model["state"]!, (long)model["created"]!));
        Assert.Equal(["chat", "embeddings"], model["capabilities"]!.AsArray().Select(item => (string)item!));
        Assert.Equal("echo", (string)JsonNode.Parse(await server.Client.GetStringAsync("/v1/models/echo"))!["id"]!);
    }
}
