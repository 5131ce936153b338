namespace PluginHost.Tools.Registry;

/// <summary>What a tool's calls are held to.</summary>
public sealed record ToolLimits
{
    /// <summary>How long a call may take, its repetitions included.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a call is repeated when its tool cannot be reached or asks for that; a tool that writes is never asked twice.</summary>
    public int Retries { get; init; } = 2;

    /// <summary>Before the first repetition; each further one waits twice as long.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Most characters of a result; the rest is cut.</summary>
    public int MostCharacters { get; init; } = 64 << 10;

    /// <summary>Calls at a time; those that have passed their deadline and go on all the same count.</summary>
    public int Concurrent { get; init; } = 16;

    /// <summary>Calls within half a minute from which on a tool rests when half of them fail.</summary>
    public int RestAfter { get; init; } = 4;

    /// <summary>How long it rests.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromSeconds(15);
}
