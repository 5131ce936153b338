using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PluginHost.Catalog;

namespace PluginHost.Serving.Tests.Telemetry;

[Collection(TelemetryCollection.Name)]
public sealed partial class DashboardTests
{
    // Written while a picture is decoded, which no test of this project does.
    private const string OfMedia = "pluginhost_modality_duration_seconds_bucket";

    [Fact]
    public async Task Dashboard_EachMetric_IsOneThatTheServerWrites()
    {
        var folder = typeof(DashboardTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "HostConfig").Value!;
        var dashboard = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "service", "grafana-dashboard.json")))!;
        var asked = dashboard["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray()).SelectMany(target => MetricName().Matches((string)target!["expr"]!)).Select(match => match.Value).ToHashSet();
        await using var server = await TestServer.StartAsync();
        await server.AskAsync("abcde");
        var written = (await server.Client.GetStringAsync("/metrics")).Split('\n').Select(line => MetricName().Match(line)).Where(match => match is { Success: true, Index: 0 }).Select(match => match.Value).ToHashSet();
        var ofPlugins = OfCatalog();

        Assert.True(asked.Count > 10);
        Assert.Subset(new HashSet<string>([.. written, .. ofPlugins, OfMedia]), asked);
    }

    // As the exporter names them: dots become lines, the unit and what a counter is are put behind.
    private static HashSet<string> OfCatalog()
    {
        var names = new HashSet<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name != "PluginHost.Catalog") return;
                var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
                lock (names) names.Add($"{instrument.Name.Replace('.', '_')}{unit}{(instrument.GetType().Name.Contains("Counter", StringComparison.Ordinal) ? "_total" : "")}");
            },
        };
        listener.Start();
        using var catalog = PluginCatalog.Discover([]);
        return names;
    }

    [GeneratedRegex(@"\b(gen_ai_(server|client)|pluginhost|process)_[a-z_]+")]
    private static partial Regex MetricName();
}
