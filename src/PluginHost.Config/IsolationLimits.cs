namespace PluginHost.Config;

/// <summary>What a plugin in a process of its own may use.</summary>
/// <param name="CallTimeout">A call that takes longer fails, and its process is ended. Default 30 seconds.</param>
/// <param name="MemoryMegabytes">Resident memory of the process, in megabytes (2^20 bytes); one that holds more is ended. Default 1024.</param>
/// <param name="Restarts">How often within a minute a process that has ended is started again. Default 5.</param>
public sealed record IsolationLimits(TimeSpan CallTimeout, int MemoryMegabytes, int Restarts)
{
    /// <summary>The defaults.</summary>
    public IsolationLimits() : this(TimeSpan.FromSeconds(30), 1024, 5)
    {
    }
}
