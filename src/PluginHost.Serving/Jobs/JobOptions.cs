using System.Diagnostics;

namespace PluginHost.Serving.Jobs;

/// <summary>Where jobs come from and what trains them.</summary>
/// <param name="Projects">The folder whose project files may be asked for; absolute.</param>
/// <param name="Artifacts">Where their runs are; absolute.</param>
/// <param name="Start">Starts a process that goes on with a run (its folder) until it is finished, and that stops after its standard input has ended.</param>
public sealed record JobOptions(string Projects, string Artifacts, Func<string, ProcessStartInfo> Start)
{
    /// <summary>How long a process may take to stop before it is killed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
