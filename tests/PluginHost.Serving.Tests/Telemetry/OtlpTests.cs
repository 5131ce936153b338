using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace PluginHost.Serving.Tests.Telemetry;

[Collection(TelemetryCollection.Name)]
public sealed class OtlpTests
{
    [Fact]
    public async Task Otlp_AfterAnAnswer_BringsMetricsTracesAndLogsToTheCollector()
    {
        var received = new ConcurrentDictionary<string, string>();
        await using var collector = await CollectorAsync(received);
        await using var server = await TestServer.StartAsync(config => config with { Otlp = collector.Urls.First() });
        await server.AskAsync("abcde");
        server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test").LogWarning("the moon is full");

        server.Services.GetRequiredService<MeterProvider>().ForceFlush(30_000); // false: the reader for Prometheus has nothing to flush to
        server.Services.GetRequiredService<TracerProvider>().ForceFlush(30_000);
        for (var i = 0; i < 1500 && received.Count < 3; i++) await Task.Delay(10); // logs are sent by themselves
        Assert.Equal(["logs", "metrics", "trace"], received.Keys.Order());

        Assert.Contains("gen_ai.server.time_to_first_token", received["metrics"], StringComparison.Ordinal);
        Assert.Contains("chat echo", received["trace"], StringComparison.Ordinal);
        Assert.Contains("gen_ai.usage.output_tokens", received["trace"], StringComparison.Ordinal);
        Assert.Contains("the moon is full", received["logs"], StringComparison.Ordinal);
    }

    // Takes what comes by gRPC and answers with an empty message; texts stand in the bytes as they are.
    private static async Task<WebApplication> CollectorAsync(ConcurrentDictionary<string, string> received)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(async context =>
        {
            var kind = context.Request.Path.Value!.Split('.')[3]; // /opentelemetry.proto.collector.trace.v1.TraceService/Export
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.AddOrUpdate(kind, _ => Encoding.UTF8.GetString(body.ToArray()), (_, before) => before + Encoding.UTF8.GetString(body.ToArray()));
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            await context.Response.Body.WriteAsync(new byte[5]);
        });
        await app.StartAsync();
        return app;
    }
}
