namespace PluginHost;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A run failed.</summary>
    public const int Failed = 1;

    /// <summary>A mistake of the user's: config, arguments, missing files.</summary>
    public const int UserError = 2;
}
