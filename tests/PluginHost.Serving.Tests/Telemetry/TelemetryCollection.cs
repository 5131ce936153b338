namespace PluginHost.Serving.Tests.Telemetry;

/// <summary>Instruments are found by name, so a server is told the figures of every other one in its process: tests that count run when no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TelemetryCollection
{
    public const string Name = "Telemetry";
}
