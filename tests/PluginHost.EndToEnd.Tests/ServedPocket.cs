using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>A small trained model behind a server on a free port.</summary>
public sealed class ServedPocket : IAsyncLifetime
{
    private Process process = null!;

    public HostProcess Host { get; } = new();

    public HttpClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2), "--set", "evaluate=[]"]).Succeeded();
        (process, Client) = await StartAsync(Host, "pocket");
    }

    /// <summary>Starts a server and waits until the model answers.</summary>
    public static async Task<(Process Process, HttpClient Client)> StartAsync(HostProcess host, string model)
    {
        const string listening = "listening at ";
        var process = host.Start("serve", "latest", "--urls", "http://127.0.0.1:0");
        HttpClient? client = null;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(listening, StringComparison.Ordinal)) client = new HttpClient { BaseAddress = new Uri(line[listening.Length..]) };
            if (line == $"{model} is ready") break;
        }
        if (client is null) throw new InvalidOperationException($"the server did not start: {await process.StandardError.ReadToEndAsync()}");
        // A full pipe would stop the server.
        _ = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
        return (process, client);
    }

    /// <summary>Asks for the server's end and waits for it.</summary>
    public static async Task<int> StopAsync(Process process)
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body);

    /// <summary>The answer to a question, as JSON.</summary>
    public async Task<JsonNode> AskAsync(object content, int tokens = 12, double temperature = 0, int? seed = null)
    {
        var response = await PostAsync("/v1/chat/completions", new { model = "pocket", messages = new[] { new { role = "user", content } }, max_tokens = tokens, temperature, seed });
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    public async Task DisposeAsync()
    {
        Client?.Dispose();
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Host.Dispose();
    }
}
