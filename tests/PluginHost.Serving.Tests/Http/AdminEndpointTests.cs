using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Http;

public sealed class AdminEndpointTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async Task InitializeAsync() => server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    private async Task<string> Send(string path, HttpContent? content, HttpStatusCode status = HttpStatusCode.OK)
    {
        var response = await server.Client.PostAsync(path, content);
        Assert.Equal(status, response.StatusCode);
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["text"]!;
    }

    [Fact]
    public async Task Plugins_Changes_AreTheModels()
    {
        Assert.Equal("swap fusion.mid from where it was", await Send("/admin/plugins/fusion.mid/swap", null));
        Assert.Equal("swap fusion.mid from /next", await Send("/admin/plugins/fusion.mid/swap", new StringContent("""{"model":"echo","folder":"/next"}""", Encoding.UTF8, "application/json")));
        Assert.Equal("swap fusion.mid from /next", await Send("/admin/plugins/fusion.mid/swap", new InChunks("""{"folder":"/next"}""")));
        Assert.Equal("drain pinned from where it was", await Send("/admin/plugins/pinned/drain", null, HttpStatusCode.Conflict));
        Assert.Equal("list  from where it was", (string)JsonNode.Parse(await server.Client.GetStringAsync("/admin/plugins?model=echo"))!["text"]!);
    }

    [Fact]
    public async Task Drain_ThenResume_RefusesAndTakesRequests()
    {
        await Send("/admin/drain", null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Client.GetAsync("/v1/models")).StatusCode);
        await Send("/admin/resume", null);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Reload_ChangedConfiguration_TakesOverWhatItCanAndNamesTheRest()
    {
        var changed = false;
        await using var own = await TestServer.StartAsync(again: begun => changed ? begun with { RequestsPerMinute = 1, MediaHosts = ["pictures.example"], RequestTimeout = TimeSpan.FromMinutes(1) } : begun);
        async Task<string> Reload() => (string)JsonNode.Parse(await (await own.Client.PostAsync("/admin/config/reload", null)).Content.ReadAsStringAsync())!["text"]!;

        Assert.Equal("read again: 0 keys, any number of requests a minute, 0 hosts of media", await Reload());
        changed = true;
        Assert.Equal("read again: 0 keys, 1 requests a minute, 1 hosts of media; changed, and waiting for a restart: server.requestTimeout", await Reload());

        Assert.Equal(HttpStatusCode.OK, (await own.Client.GetAsync("/v1/models")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await own.Client.GetAsync("/v1/models")).StatusCode);
    }

    [Fact]
    public async Task Reload_DamagedFile_KeepsAllAndSaysWhy()
    {
        await using var own = await TestServer.StartAsync(again: _ => throw new Sdk.UserErrorException("host.json(3,5): 'requestsPerMinut' is unknown"));

        var response = await own.Client.PostAsync("/admin/config/reload", null);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("host.json(3,5)", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("on", await own.AskAsync("on"));
    }

    // A body whose length is not known beforehand.
    private sealed class InChunks : StringContent
    {
        public InChunks(string text) : base(text, Encoding.UTF8, "application/json")
        {
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
