namespace PluginHost.Config;

/// <summary>When a plugin that fails is taken out, and for how long.</summary>
/// <param name="Failures">So many failures within the window take it out. At least 1; default 3.</param>
/// <param name="Window">Older failures no longer count. Default one minute.</param>
/// <param name="Backoff">After this time one call may try again; each time that fails, the next wait is twice as long. Default 30 seconds.</param>
public sealed record QuarantineOptions(int Failures, TimeSpan Window, TimeSpan Backoff)
{
    /// <summary>The defaults.</summary>
    public QuarantineOptions() : this(3, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30))
    {
    }
}
