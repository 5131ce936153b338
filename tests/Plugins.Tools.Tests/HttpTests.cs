using System.Net;
using PluginHost.Sdk;
using Tool.Http;
using Tool.WebSearch;

namespace Plugins.Tools.Tests;

public class HttpTests
{
    private static IReadOnlyList<ToolFunction> Http(Func<HttpRequestMessage, HttpResponseMessage> answer) =>
        ToolCalls.Open(new HttpTool(new HttpOptions(["docs.example", "docs.example:8443"], MaxBytes: 256)), answer: answer);

    private static HttpResponseMessage Text(string text) => new(HttpStatusCode.OK) { Content = new StringContent(text) };

    [Fact]
    public async Task Http_AListedHost_IsReadAndCut()
    {
        Assert.Equal("hello", await Http(_ => Text("hello")).CallAsync("http", new { url = "https://docs.example:8443/a" }));
        Assert.Equal(new string('x', 256) + "\n[the rest is cut]", await Http(_ => Text(new string('x', 1000))).CallAsync("http", new { url = "https://docs.example/a" }));
    }

    [Theory]
    [InlineData("https://other.example/", "may not be asked")]
    [InlineData("https://docs.example:8444/", "may not be asked")]
    [InlineData("https://docs.example.evil.example/", "may not be asked")]
    [InlineData("https://docs.example@evil.example/", "may not be asked")]
    [InlineData("https://docs.example\\@evil.example/", "no address")]
    [InlineData("file:///etc/passwd", "no address")]
    public async Task Http_AnotherHost_IsNeverAsked(string url, string why)
    {
        var asked = false;
        var error = await Assert.ThrowsAsync<UserErrorException>(() => Http(_ =>
        {
            asked = true;
            return Text("");
        }).CallAsync("http", new { url }));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.False(asked);
    }

    [Fact]
    public async Task Http_BinaryAndFailures_AreRefused()
    {
        var binary = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([0, 1, 2]) };
        Assert.Contains("no text", (await Assert.ThrowsAsync<UserErrorException>(() => Http(_ => binary).CallAsync("http", new { url = "https://docs.example/" }))).Message, StringComparison.Ordinal);
        Assert.Contains("404", (await Assert.ThrowsAsync<UserErrorException>(() => Http(_ => new HttpResponseMessage(HttpStatusCode.NotFound)).CallAsync("http", new { url = "https://docs.example/" }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WebSearch_AnyService_IsReadByItsKeys()
    {
        var asked = new List<string>();
        var search = ToolCalls.Open(new WebSearchTool(new WebSearchOptions("https://search.example/?q={query}&n={limit}", "web.hits", "name", "href", "text")), answer: request =>
        {
            asked.Add(request.RequestUri!.AbsoluteUri);
            return Text("""{"web":{"hits":[{"name":"A","href":"https://a.example","text":"about a"},{"name":"B"},{"name":"C"}]}}""");
        });
        Assert.Equal("""[{"title":"A","url":"https://a.example","snippet":"about a"},{"title":"B","url":"","snippet":""}]""", await search.CallAsync("web-search", new { query = "a & b", limit = 2 }));
        Assert.Equal(["https://search.example/?q=a%20%26%20b&n=2"], asked);
    }

    [Fact]
    public async Task WebSearch_AnAnswerWithoutResults_IsRefused()
    {
        var search = ToolCalls.Open(new WebSearchTool(new WebSearchOptions("https://search.example/?q={query}")), answer: _ => Text("<html>"));
        Assert.Contains("no list at 'results'", (await Assert.ThrowsAsync<UserErrorException>(() => search.CallAsync("web-search", new { query = "a", limit = 2 }))).Message, StringComparison.Ordinal);
    }
}
