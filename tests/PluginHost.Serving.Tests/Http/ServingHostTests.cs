using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Serving.Keys;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Tests.Http;

public sealed class ServingHostTests
{
    private const string Question = """{"model":"echo","messages":[{"role":"user","content":"a"}]}""";

    public static TheoryData<string, string> Routes => new()
    {
        { "POST", "/v1/chat/completions" }, { "POST", "/v1/completions" }, { "POST", "/v1/embeddings" }, { "POST", "/v1/tokenize" }, { "POST", "/v1/detokenize" },
        { "GET", "/v1/models" }, { "GET", "/v1/models/echo" }, { "POST", "/v1/models/echo/load" }, { "POST", "/v1/models/echo/unload" },
        { "GET", "/admin/plugins" }, { "POST", "/admin/plugins/fusion.mid/swap" }, { "POST", "/admin/config/reload" }, { "POST", "/admin/drain" }, { "GET", "/openapi.json" }, { "GET", "/nowhere" },
    };

    private static async Task<JsonNode> ErrorOf(HttpResponseMessage response) => JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task AnyRoute_WithoutTheKey_Is401(string method, string path)
    {
        await using var server = await TestServer.StartAsync(keys: keys => keys.Create("someone", admin: true));

        foreach (var shown in (string?[])[null, "ph-wrong"])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (shown is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", shown);
            var response = await server.Client.SendAsync(request);

            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("invalid_api_key", (string)(await ErrorOf(response))["code"]!);
        }
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/health/live")).StatusCode);
    }

    [Fact]
    public async Task Https_WithACertificate_IsSpoken()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var folder = Directory.CreateTempSubdirectory("tls").FullName;
        var certificate = new ServerCertificate(Path.Combine(folder, "server.pem"), Path.Combine(folder, "server.key"));
        File.WriteAllText(certificate.Path, made.ExportCertificatePem());
        File.WriteAllText(certificate.Key, key.ExportPkcs8PrivateKeyPem());
        await using var server = await TestServer.StartAsync(config => config with { Urls = ["https://127.0.0.1:0"], Certificate = certificate });
        string? shown = null;
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, presented, _, _) =>
            {
                shown = presented?.Thumbprint;
                return true;
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = server.Address };

        var answer = await client.GetAsync("/v1/models");

        Assert.Equal((HttpStatusCode.OK, "https", made.Thumbprint), (answer.StatusCode, server.Address.Scheme, shown));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync($"http://127.0.0.1:{server.Address.Port}/v1/models"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task AdminRoute_WithAnOrdinaryKey_Is403()
    {
        var (ordinary, admin) = ("", "");
        await using var server = await TestServer.StartAsync(keys: keys => (ordinary, admin) = (keys.Create("someone", admin: false), keys.Create("root", admin: true)));

        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ordinary);
        Assert.Equal("a", await server.AskAsync("a"));
        Assert.Equal(HttpStatusCode.Forbidden, (await server.Client.PostAsync("/admin/drain", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await server.Client.PostAsync("/v1/models/echo/unload", null)).StatusCode);
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", admin);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.PostAsync("/v1/models/echo/unload", null)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.PostAsync("/v1/chat/completions", Question)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.PostAsync("/v1/models/echo/load", null)).StatusCode);
        Assert.Equal("a", await server.AskAsync("a"));
    }

    [Theory]
    [InlineData("/v1/models/echo/UNLOAD")]
    [InlineData("/v1/models/echo/unload/")]
    [InlineData("/V1/Models/echo/Load")]
    [InlineData("/v1/models/echo/%75nload")]
    [InlineData("/Admin/drain")]
    [InlineData("/admin/drain/")]
    public async Task AdminRoute_SpeltInAnotherWay_Is403Too(string path)
    {
        var ordinary = "";
        await using var server = await TestServer.StartAsync(keys: keys => ordinary = keys.Create("someone", admin: false));
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ordinary);

        Assert.Equal(HttpStatusCode.Forbidden, (await server.Client.PostAsync(path, null)).StatusCode);
        Assert.Equal(("a", false), (await server.AskAsync("a"), server.State.Draining));
    }

    [Fact]
    public async Task Key_AskingTooOften_Is429UntilLater()
    {
        await using var server = await TestServer.StartAsync(config => config with { RequestsPerMinute = 3 });

        for (var i = 0; i < 3; i++) Assert.Equal("a", await server.AskAsync("a"));
        var refused = await server.PostAsync("/v1/chat/completions", Question);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.Equal("rate_limit_exceeded", (string)(await ErrorOf(refused))["code"]!);
    }

    [Fact]
    public void Build_BeyondThisMachineWithoutAKey_IsRefused()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var server = new ServerConfig { Keys = Path.Combine(folder, "keys.json"), Jobs = Path.Combine(folder, "jobs.db"), ToolFile = Path.Combine(folder, "tools.json"), Projects = folder, Urls = ["http://127.0.0.1:0", "http://0.0.0.0:0"] };

        Assert.Contains("'pluginhost keys create NAME'", Assert.Throws<UserErrorException>(() => ServingHost.Build(server, [new FakeModel("echo")])).Message, StringComparison.Ordinal);
        new ApiKeys(server.Keys).Create("someone", admin: false);
        Assert.NotNull(ServingHost.Build(server, [new FakeModel("echo")]));
        Directory.Delete(folder, true);
    }

    [Fact]
    public async Task Post_BodyOverTheLimit_Is413PackedOrNot()
    {
        await using var server = await TestServer.StartAsync(config => config with { MaxBodyBytes = 1 << 20 });
        var large = Encoding.UTF8.GetBytes($$"""{"model":"{{new string('x', 3 << 20)}}"}""");
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) await gzip.WriteAsync(large);

        using var bomb = new ByteArrayContent(packed.ToArray());
        bomb.Headers.ContentEncoding.Add("gzip");
        bomb.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (var response in (HttpResponseMessage[])[await server.PostAsync("/v1/chat/completions", Encoding.UTF8.GetString(large)), await server.Client.PostAsync("/v1/chat/completions", bomb)])
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
            Assert.Equal("request_too_large", (string)(await ErrorOf(response))["code"]!);
        }
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Post_PackedBody_IsRead()
    {
        await using var server = await TestServer.StartAsync();
        var packed = new MemoryStream();
        await using (var brotli = new BrotliStream(packed, CompressionLevel.Optimal, leaveOpen: true)) await brotli.WriteAsync(Encoding.UTF8.GetBytes(Question));

        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentEncoding.Add("br");
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Assert.Equal(HttpStatusCode.OK, (await server.Client.PostAsync("/v1/chat/completions", content)).StatusCode);
        using var wrong = new StringContent("{", Encoding.UTF8, "application/json");
        wrong.Headers.ContentEncoding.Add("gzip");
        Assert.Equal(HttpStatusCode.BadRequest, (await server.Client.PostAsync("/v1/chat/completions", wrong)).StatusCode);
    }

    [Fact]
    public async Task Request_HugeHeaders_Is431()
    {
        await using var server = await TestServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("X-Much", new string('x', 100_000));

        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, (await server.Client.SendAsync(request)).StatusCode);
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Theory]
    [InlineData("GET", "/nowhere", HttpStatusCode.NotFound, "/openapi.json lists what there is")]
    [InlineData("DELETE", "/v1/models", HttpStatusCode.MethodNotAllowed, "/v1/models does not take DELETE; it takes GET")]
    [InlineData("POST", "/v1/chat/completions", HttpStatusCode.UnsupportedMediaType, "Content-Type: application/json")]
    [InlineData("GET", "/v1/models/ecko", HttpStatusCode.NotFound, "did you mean 'echo'?")]
    [InlineData("POST", "/admin/plugins/x/swp", HttpStatusCode.NotFound, "did you mean 'swap'?")]
    public async Task Request_ThatNothingTakes_SaysSoInOneShape(string method, string path, HttpStatusCode status, string message)
    {
        await using var server = await TestServer.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        var response = await server.Client.SendAsync(request);

        Assert.Equal(status, response.StatusCode);
        Assert.Contains(message, (string)(await ErrorOf(response))["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_UnderAForeignName_IsNotAnsweredOnLoopback()
    {
        await using var server = await TestServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = "attacker.example";

        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await server.Client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Request_UnderAForeignNameWithAKey_IsAnsweredForItsProxy()
    {
        var key = "";
        await using var server = await TestServer.StartAsync(keys: keys => key = keys.Create("someone", admin: false));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = "models.example";
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);

        Assert.Equal(HttpStatusCode.OK, (await server.Client.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData(ModelState.Loading, "model_loading")]
    [InlineData(ModelState.Failed, "model_failed")]
    [InlineData(ModelState.Unloaded, "model_not_loaded")]
    public async Task Post_ModelThatIsNotReady_Is503(ModelState state, string code)
    {
        await using var server = await TestServer.StartAsync();
        server.Model.State = state;

        var response = await server.PostAsync("/v1/chat/completions", Question);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal(code, (string)(await ErrorOf(response))["code"]!);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/health/live")).StatusCode);
    }

    [Fact]
    public async Task Drain_OpenStream_FinishesWhileNewOnesAreRefused()
    {
        await using var server = await TestServer.StartAsync();
        var open = server.AskAsync(FakeModel.Slow + new string('x', 20));
        while (server.State.Open == 0) await Task.Delay(5);

        server.State.Drain();

        var refused = await server.PostAsync("/v1/chat/completions", Question);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "draining"), (refused.StatusCode, (string)(await ErrorOf(refused))["code"]!));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(FakeModel.Slow + new string('x', 20), await open);
        Assert.Equal(0, server.State.Open);
        server.State.Resume();
        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task Request_TakingTooLong_IsCutOff()
    {
        await using var server = await TestServer.StartAsync(config => config with { RequestTimeout = TimeSpan.FromSeconds(1) });

        var response = await server.PostAsync("/v1/chat/completions", $$"""{"model":"echo","messages":[{"role":"user","content":"{{FakeModel.Slow}}{{new string('x', 1000)}}"}]}""");

        Assert.Equal((HttpStatusCode.GatewayTimeout, "timeout"), (response.StatusCode, (string)(await ErrorOf(response))["code"]!));
        Assert.Equal(0, server.Model.Open);
    }

    [Fact]
    public async Task Connection_SendingNonsenseOrNothing_CostsOnlyItself()
    {
        await using var server = await TestServer.StartAsync();
        using var slow = new TcpClient();
        await slow.ConnectAsync(server.Address.Host, server.Address.Port);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"));
        using var nonsense = new TcpClient();
        await nonsense.ConnectAsync(server.Address.Host, server.Address.Port);
        await nonsense.GetStream().WriteAsync(new byte[] { 0, 1, 2, 3, 13, 10, 13, 10 });

        Assert.Equal("on", await server.AskAsync("on"));
    }

    [Fact]
    public async Task OpenApi_Describes_EveryRoute()
    {
        await using var server = await TestServer.StartAsync();

        var paths = JsonNode.Parse(await server.Client.GetStringAsync("/openapi.json"))!["paths"]!.AsObject();

        foreach (var path in (string[])["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/models", "/v1/models/{id}/load", "/v1/tokenize", "/health/ready", "/admin/drain"])
            Assert.True(paths.ContainsKey(path), path);
    }
}
