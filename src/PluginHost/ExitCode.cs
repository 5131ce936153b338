namespace PluginHost;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A run failed.</summary>
    public const int Failed = 1;

    /// <summary>A mistake of the user's: config, arguments, missing files.</summary>
    public const int UserError = 2;

    /// <summary>Of <c>run --stop-with-input</c>: it was stopped, or another process was on its way out of the run; started again, it goes on. The number is sysexits' EX_TEMPFAIL.</summary>
    public const int Again = PluginHost.Serving.Jobs.JobOptions.Again;
}
