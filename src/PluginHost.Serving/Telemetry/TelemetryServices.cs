using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using PluginHost.Config;

namespace PluginHost.Serving.Telemetry;

/// <summary>Metrics for Prometheus at <c>/metrics</c>; with <c>server.otlp</c> also metrics, traces and logs by OTLP.</summary>
internal static class TelemetryServices
{
    // The catalog's meter (calls of plugins) and that of answers (media) are those of other projects.
    private static readonly string[] Meters = [ServingMeter.Name, PluginHost.Tools.Calls.ToolMeter.Name, "PluginHost.Catalog", "PluginHost.Runs"];

    public static void AddTelemetry(this IServiceCollection services, ServerConfig server)
    {
        services.AddSingleton<ServingMeter>();
        var telemetry = services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("pluginhost"))
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter())
            // An answer's trace is recorded where that of its request is; ASP.NET Core's own are recorded by whoever asks for them.
            .WithTracing(traces => traces.AddSource(ServingMeter.Name, "Microsoft.AspNetCore"));
        if (server.Otlp is { } address) telemetry.WithLogging().UseOtlpExporter(OtlpExportProtocol.Grpc, new Uri(address));
    }
}
