using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PluginHost.Config;
using PluginHost.Serving.Keys;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Tests;

/// <summary>A real server on a free port of this machine, with the model 'echo'.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly string folder;

    private TestServer(WebApplication app, string folder, FakeModel model)
    {
        (this.app, this.folder, Model) = (app, folder, model);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public FakeModel Model { get; }

    public Uri Address => Client.BaseAddress!;

    public IServiceProvider Services => app.Services;

    public ServingState State => app.Services.GetRequiredService<ServingState>();

    public static async Task<TestServer> StartAsync(Func<ServerConfig, ServerConfig>? change = null, Action<ApiKeys>? keys = null, Action<WebApplicationBuilder>? configure = null, Action<IEndpointRouteBuilder>? map = null, Func<ServerConfig, ServerConfig>? again = null, IReadOnlyList<IServedModel>? more = null)
    {
        var folder = Directory.CreateTempSubdirectory("serving").FullName;
        var server = new ServerConfig { Keys = Path.Combine(folder, "keys.json"), Jobs = Path.Combine(folder, "jobs.db"), ToolFile = Path.Combine(folder, "tools.json"), Projects = folder, Urls = ["http://127.0.0.1:0"] };
        server = change?.Invoke(server) ?? server;
        keys?.Invoke(new ApiKeys(server.Keys));
        var model = new FakeModel("echo");
        var app = ServingHost.Build(server, [model, .. more ?? []], configure, map, again is null ? null : () => again(server));
        await app.StartAsync();
        return new TestServer(app, folder, model);
    }

    /// <summary>Waits until the server stands somewhere.</summary>
    public async Task WaitForAsync(Func<ServingState, bool> there)
    {
        for (var i = 0; i < 1500 && !there(State); i++) await Task.Delay(10);
        Assert.True(there(State));
    }

    /// <summary>Posts JSON, given as text.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, string json) => Client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    /// <summary>Asks the model a question and returns the answer.</summary>
    public async Task<string> AskAsync(string question)
    {
        var response = await Client.PostAsJsonAsync("/v1/chat/completions", new { model = "echo", messages = new[] { new { role = "user", content = question } } });
        response.EnsureSuccessStatusCode();
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["choices"]![0]!["message"]!["content"]!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
        Directory.Delete(folder, true);
    }
}
