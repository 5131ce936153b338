namespace PluginHost.Catalog;

/// <summary>What a plugin has done since the catalog was made.</summary>
/// <param name="Id">The plugin.</param>
/// <param name="Version">Its version.</param>
/// <param name="Calls">Calls that have ended, well or not.</param>
/// <param name="Failures">Failures in calls, while being made, and in its own threads, timers, tasks and finalizers.</param>
/// <param name="Time">Time spent in calls, over all threads.</param>
/// <param name="NativeBytes">Native memory of the parameters and buffers that it holds now, in bytes.</param>
/// <param name="Quarantine">Why it is in quarantine; null when it serves.</param>
public sealed record PluginTelemetry(string Id, string Version, long Calls, long Failures, TimeSpan Time, long NativeBytes, string? Quarantine);
