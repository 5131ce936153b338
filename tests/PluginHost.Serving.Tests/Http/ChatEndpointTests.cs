using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Http;

public sealed class ChatEndpointTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async Task InitializeAsync() => server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    private static string Body(string content, string more = "") => $$"""{"model":"echo","messages":[{"role":"user","content":{{content}}}]{{more}}}""";

    private async Task<JsonNode> Ask(string body)
    {
        var response = await server.PostAsync("/v1/chat/completions", body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<List<string>> Stream(string body)
    {
        var response = await server.PostAsync("/v1/chat/completions", body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        return [.. (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)];
    }

    [Fact]
    public async Task Post_Question_AnswersInOpenAisShape()
    {
        var answer = await Ask(Body("\"héllo <image>\""));

        Assert.Equal("chat.completion", (string)answer["object"]!);
        Assert.Equal("echo", (string)answer["model"]!);
        var choice = answer["choices"]![0]!;
        Assert.Equal(("héllo <image>", "assistant", "stop"), ((string)choice["message"]!["content"]!, (string)choice["message"]!["role"]!, (string)choice["finish_reason"]!));
        Assert.Equal((7, 13, 20), ((int)answer["usage"]!["prompt_tokens"]!, (int)answer["usage"]!["completion_tokens"]!, (int)answer["usage"]!["total_tokens"]!));
        Assert.Null(choice["logprobs"]);
    }

    [Fact]
    public async Task Post_Stream_SendsChunksThenUsageThenDone()
    {
        var events = await Stream(Body("\"abc\"", ""","stream":true,"stream_options":{"include_usage":true}"""));

        Assert.Equal("data: [DONE]", events[^1]);
        var chunks = events[..^1].Select(text => JsonNode.Parse(text["data: ".Length..])!).ToList();
        Assert.Equal("abc", string.Concat(chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).Select(choice => (string?)choice!["delta"]!["content"])));
        Assert.Equal("assistant", (string)chunks[0]["choices"]![0]!["delta"]!["role"]!);
        Assert.Equal("stop", (string)chunks[^2]["choices"]![0]!["finish_reason"]!);
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(10, (int)chunks[^1]["usage"]!["total_tokens"]!);
        Assert.Single(chunks.Select(chunk => (string)chunk["id"]!).Distinct());
    }

    [Fact]
    public async Task Post_SeveralAnswers_HasEachWithItsOwnSeed()
    {
        var answer = await Ask(Body("\"abcdef\"", ""","n":3,"seed":5,"max_tokens":2"""));

        Assert.Equal([0, 1, 2], answer["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.All(answer["choices"]!.AsArray(), choice => Assert.Equal(("ab", "length"), ((string)choice!["message"]!["content"]!, (string)choice["finish_reason"]!)));
        Assert.Equal([5, 6, 7], server.Model.Asked.Select(options => options!.Seed!.Value).Order());
        Assert.Equal(6, (int)answer["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task Post_LogProbabilities_ComeWithTextAndBytes()
    {
        var answer = await Ask(Body("\"é\"", ""","logprobs":true,"top_logprobs":1"""));

        var token = answer["choices"]![0]!["logprobs"]!["content"]![0]!;
        Assert.Equal(("é", -0.5), ((string)token["token"]!, (double)token["logprob"]!));
        Assert.Equal([0xC3, 0xA9], token["bytes"]!.AsArray().Select(octet => (int)octet!));
        Assert.Single(token["top_logprobs"]!.AsArray());
    }

    [Fact]
    public async Task Post_PictureAndSound_ReachTheModelAsBytes()
    {
        var answer = await Ask(Body("""[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"input_audio","input_audio":{"data":"AAAAAA==","format":"wav"}}]"""));

        Assert.Equal("what? [image/png 3] [audio/wav 4]", (string)answer["choices"]![0]!["message"]!["content"]!);
    }

    [Fact]
    public async Task Post_Tools_ComeBackAsCalls()
    {
        const string tools = ""","tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"tool_choice":"auto" """;
        var choice = (await Ask(Body("\"?\"", tools)))["choices"]![0]!;

        Assert.Equal("tool_calls", (string)choice["finish_reason"]!);
        var call = choice["message"]!["tool_calls"]![0]!;
        Assert.Equal(("weather", "call_1"), ((string)call["function"]!["name"]!, (string)call["id"]!));
        Assert.Equal("Bern", (string)JsonNode.Parse((string)call["function"]!["arguments"]!)!["city"]!);
        Assert.Null(choice["message"]!["content"]);
    }

    [Fact]
    public async Task Post_StreamedCalls_AreCountedOnAndHaveNoText()
    {
        const string tools = ""","tools":[{"type":"function","function":{"name":"weather"}},{"type":"function","function":{"name":"now"}}],"stream":true""";
        var choices = (await Stream(Body("\"?\"", tools))).SkipLast(1).Select(text => JsonNode.Parse(text["data: ".Length..])!["choices"]![0]!).ToList();

        Assert.Equal([(0, "call_1", "weather"), (1, "call_2", "now")], choices.Select(choice => choice["delta"]!["tool_calls"]![0]!).Select(call => ((int)call["index"]!, (string)call["id"]!, (string)call["function"]!["name"]!)));
        Assert.Equal("{\"role\":\"assistant\",\"content\":null}", new JsonObject(choices[0]["delta"]!.AsObject().Where(item => item.Key != "tool_calls").Select(item => KeyValuePair.Create(item.Key, item.Value?.DeepClone()))).ToJsonString());
        Assert.Equal([null, "tool_calls"], choices.Select(choice => (string?)choice["finish_reason"]));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData(",\"n\":3", 3)]
    [InlineData(",\"n\":3,\"stream\":true", 3)]
    public async Task Post_ClientLeaves_EndsAllItsAnswers(string more, int answers)
    {
        using (var leaving = new CancellationTokenSource())
        {
            using var content = new StringContent(Body($"\"{FakeModel.Slow} {new string('x', 3000)}\"", more), null, "application/json");
            var asked = server.Client.PostAsync("/v1/chat/completions", content, leaving.Token);
            for (var i = 0; i < 500 && server.Model.Open < answers; i++) await Task.Delay(10);
            Assert.Equal(answers, server.Model.Open);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        }
        for (var i = 0; i < 500 && server.Model.Open > 0; i++) await Task.Delay(10);
        Assert.Equal(0, server.Model.Open);
    }

    [Fact]
    public async Task Post_EmptyTextsThatClientsSend_AreNoMistakes()
    {
        const string body = """{"model":"echo","user":"","messages":[{"role":"user","name":"","content":""},{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"1","content":""},{"role":"user","content":"so?"}],"tools":[{"type":"function","function":{"name":"now","description":""}}],"tool_choice":"none"}""";

        Assert.Equal("so?", (string)(await Ask(body))["choices"]![0]!["message"]!["content"]!);
    }

    [Fact]
    public async Task Post_AnswerThatItsModelStops_IsAnErrorAndNoEnd()
    {
        foreach (var more in (string[])["", ",\"n\":2"])
        {
            var whole = await server.PostAsync("/v1/chat/completions", Body("\"!stop\"", more));
            var events = await Stream(Body("\"!stop\"", more + ",\"stream\":true"));

            Assert.Equal(HttpStatusCode.ServiceUnavailable, whole.StatusCode);
            Assert.StartsWith("event: error", events[^1], StringComparison.Ordinal);
            Assert.DoesNotContain(events, text => text.Contains("[DONE]", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("\"!busy\"", HttpStatusCode.TooManyRequests, "queue_full")]
    [InlineData("\"!long\"", HttpStatusCode.BadRequest, "context_length_exceeded")]
    public async Task Post_RefusedByTheModel_HasItsStatus(string content, HttpStatusCode status, string code)
    {
        foreach (var more in (string[])["", ",\"stream\":true", ",\"n\":2"])
        {
            var response = await server.PostAsync("/v1/chat/completions", Body(content, more));

            Assert.Equal(status, response.StatusCode);
            Assert.Equal(code, (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!);
            Assert.Equal(status == HttpStatusCode.TooManyRequests, response.Headers.RetryAfter is not null);
        }
    }

    [Fact]
    public async Task Post_EngineFailsMidStream_SendsAnErrorEventAndNoEnd()
    {
        var events = await Stream(Body("\"!fail\"", ",\"stream\":true"));

        Assert.StartsWith("event: error\ndata: ", events[^1], StringComparison.Ordinal);
        Assert.Equal("server_error", (string)JsonNode.Parse(events[^1]["event: error\ndata: ".Length..])!["error"]!["type"]!);
        Assert.DoesNotContain(events, text => text.Contains("[DONE]", StringComparison.Ordinal) || text.Contains("\"stop\"", StringComparison.Ordinal) || text.Contains("secret", StringComparison.Ordinal));
        Assert.Equal("still here", await server.AskAsync("still here"));
    }

    [Fact]
    public async Task Post_ClientLeavesMidStream_EndsTheAnswer()
    {
        using (var leaving = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Body($"\"{FakeModel.Slow} {new string('x', 3000)}\"", ",\"stream\":true"), null, "application/json") })
        using (var response = await server.Client.SendAsync(leaving, HttpCompletionOption.ResponseHeadersRead))
        {
            await using var stream = await response.Content.ReadAsStreamAsync();
            Assert.NotEqual(0, await stream.ReadAsync(new byte[1]));
            Assert.Equal(1, server.Model.Open);
        }
        for (var i = 0; i < 500 && server.Model.Open > 0; i++) await Task.Delay(10);
        Assert.Equal(0, server.Model.Open);
    }

    [Theory]
    [InlineData("""{"model":"echo","messages":[}""", "not valid JSON")]
    [InlineData("""{"model":"echo","model":"x","messages":[]}""", "'model' is given twice")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}]}""", "a chat request needs 'model'")]
    [InlineData("""{"model":"echo","messages":[]}""", "there are no messages")]
    [InlineData("""{"model":"echo","messages":[{"role":"usr","content":"a"}]}""", "did you mean 'user'?")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"temprature":1}""", "unknown key 'temprature' of a chat request; did you mean 'temperature'?")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"temperature":1e9}""", "'temperature' is 1000000000, outside its range 0 to 2")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"temperature":NaN}""", "not valid JSON")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"temperature":"NaN"}""", "'temperature' is a number")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"n":1000000}""", "'n' is 1000000, outside its range 1 to 16")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"max_tokens":-1}""", "'max_tokens' is -1")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a\u0000b"}]}""", "NUL")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"\ud800"}]}""", "not valid UTF-8")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{}}}""", "JSON Schema yet")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}""", "an address begins with data:")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,%%%"}}]}]}""", "not base64")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http:\\\\127.0.0.1\\x"}}]}]}""", "an address begins with data:")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://169.254.169.254/latest"}}]}],"stream":true}""", "is not fetched")]
    [InlineData("""{"model":"echo","messages":[{"role":"user","content":"a"}],"top_logprobs":2}""", "needs 'logprobs'")]
    public async Task Post_BadRequest_SaysWhatAndWhere(string body, string message)
    {
        var response = await server.PostAsync("/v1/chat/completions", body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal("invalid_request_error", (string)error["type"]!);
        Assert.Contains(message, (string)error["message"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Post_SeveralMistakes_AreSaidAtOnceWithTheFirstsPlace()
    {
        var response = await server.PostAsync("/v1/chat/completions", """{"model":"echo","messages":[{"role":"user","content":[{"type":"txt","text":"a"}]}],"n":0}""");

        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal("messages[0].content[0].type", (string)error["param"]!);
        Assert.Contains("did you mean 'text'?", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Contains("n: 'n' is 0", (string)error["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_DeepJson_IsRefused()
    {
        var response = await server.PostAsync("/v1/chat/completions", $$"""{"model":{{new string('[', 1000)}}{{new string(']', 1000)}}}""");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Post_UnknownModel_Is404WithTheNearest()
    {
        var response = await server.PostAsync("/v1/chat/completions", """{"model":"ecko","messages":[{"role":"user","content":"a"}]}""");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("did you mean 'echo'?", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
