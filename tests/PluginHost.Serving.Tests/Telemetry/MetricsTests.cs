using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Telemetry;

[Collection(TelemetryCollection.Name)]
public sealed class MetricsTests
{
    private static double Value(string metrics, string name, params string[] labels) => metrics.Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length] is '{' or ' ' && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
        .Select(line => double.Parse(line[(line.IndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture)).FirstOrDefault(-1);

    [Fact]
    public async Task Metrics_AfterAnswers_HaveTheConventionsNames()
    {
        await using var server = await TestServer.StartAsync();
        await server.AskAsync("abcde");
        await server.PostAsync("/v1/completions", """{"model":"echo","prompt":"ab","stream":true}""");
        await server.PostAsync("/v1/chat/completions", """{"model":"echo","messages":[{"role":"user","content":"!busy"}]}""");

        var metrics = await server.Client.GetStringAsync("/metrics");

        Assert.Equal(1, Value(metrics, "gen_ai_server_time_to_first_token_seconds_count", "gen_ai_operation_name=\"chat\"", "gen_ai_request_model=\"echo\""));
        Assert.Equal(1, Value(metrics, "gen_ai_server_time_per_output_token_seconds_count", "gen_ai_operation_name=\"text_completion\""));
        Assert.Equal(1, Value(metrics, "gen_ai_server_request_duration_seconds_count", "error_type=\"BusyException\""));
        Assert.Equal(5, Value(metrics, "gen_ai_client_token_usage_sum", "gen_ai_operation_name=\"chat\"", "gen_ai_token_type=\"output\""));
        Assert.Contains("le=\"0.0005\"", metrics, StringComparison.Ordinal);
        Assert.Equal(3, Value(metrics, "pluginhost_slots_running", "gen_ai_request_model=\"echo\""));
        Assert.Equal(2, Value(metrics, "pluginhost_slots_waiting", "gen_ai_request_model=\"echo\""));
        Assert.True(Value(metrics, "process_memory_usage_bytes") > 1e6, metrics);
    }

    [SkippableFact]
    public async Task Prometheus_ScrapingWithAKey_HasTheNumbers()
    {
        Skip.IfNot(File.Exists("/usr/bin/prometheus"), "Debian's package prometheus is not installed");
        var key = "";
        await using var server = await TestServer.StartAsync(keys: keys => key = keys.Create("prometheus", admin: false));
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        await server.AskAsync("abcde");
        var folder = Directory.CreateTempSubdirectory("prometheus").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), $$"""
            scrape_configs:
              - job_name: pluginhost
                scrape_interval: 1s
                authorization: { credentials: {{key}} }
                static_configs: [{ targets: ["{{server.Address.Authority}}"] }]
            """);
        var port = FreePort();
        using var prometheus = Process.Start(new ProcessStartInfo("/usr/bin/prometheus")
        {
            ArgumentList = { $"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}" },
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        _ = prometheus.StandardError.ReadToEndAsync();
        try
        {
            using var client = new HttpClient();
            string? value = null;
            for (var i = 0; i < 300 && value is null; i++)
            {
                await Task.Delay(100);
                try
                {
                    var answer = JsonNode.Parse(await client.GetStringAsync($"http://127.0.0.1:{port}/api/v1/query?query=gen_ai_client_token_usage_sum%7Bgen_ai_token_type%3D%22output%22%7D"))!;
                    value = (string?)answer["data"]!["result"]!.AsArray().FirstOrDefault()?["value"]![1];
                }
                catch (HttpRequestException)
                {
                    // it is still starting
                }
            }
            Assert.Equal("5", value);
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync();
            Directory.Delete(folder, true);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
