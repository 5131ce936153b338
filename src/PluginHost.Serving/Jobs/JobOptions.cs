using System.Diagnostics;

namespace PluginHost.Serving.Jobs;

/// <summary>Where jobs come from and what trains them.</summary>
/// <param name="Projects">The folder whose project files may be asked for; absolute.</param>
/// <param name="Artifacts">Where their runs are; absolute.</param>
/// <param name="Start">
/// Starts a process that goes on with a run (its folder) until it is finished, and that stops after its standard input has ended. It ends with 0 when the run is finished, with
/// <see cref="Again"/> when it has been stopped, or another process has been on the run, and with anything else when the run has failed.
/// </param>
public sealed record JobOptions(string Projects, string Artifacts, Func<string, ProcessStartInfo> Start)
{
    /// <summary>What a process ends with that can be started again to go on.</summary>
    public const int Again = 75;

    /// <summary>How long a process may take to stop before it is killed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
