namespace PluginHost.Tools.Registry;

/// <summary>Whether a tool may be called.</summary>
public enum ToolState
{
    /// <summary>It may.</summary>
    Ready,

    /// <summary>Not until the server's owner approves it: it writes, or is not what was approved.</summary>
    Waiting,

    /// <summary>It cannot be: its schema is of no use.</summary>
    Refused,
}
