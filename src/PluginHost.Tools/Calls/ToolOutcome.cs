namespace PluginHost.Tools.Calls;

/// <summary>How a call ended.</summary>
public enum ToolStatus
{
    /// <summary>With a result.</summary>
    Done,

    /// <summary>Its arguments are not what the schema asks for; the tool was not called.</summary>
    Invalid,

    /// <summary>The tool waits for the approval of the server's owner, or its schema is of no use.</summary>
    Unapproved,

    /// <summary>The tool has too many calls, or rests after failures.</summary>
    Unavailable,

    /// <summary>Its deadline has passed.</summary>
    Late,

    /// <summary>The tool says that the caller should do otherwise.</summary>
    Refused,

    /// <summary>The tool failed.</summary>
    Failed,
}

/// <summary>What came of a call. Its text is data from elsewhere and nothing to be trusted, whatever it says.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Text">The result; for any other ending, what is wrong and what to do.</param>
public sealed record ToolOutcome(ToolStatus Status, string Text)
{
    /// <summary>Whether the result was longer than is passed on.</summary>
    public bool Cut { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>After how long it may be tried again; null: it says nothing about that.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether there is no result.</summary>
    public bool IsError => Status != ToolStatus.Done;
}

/// <summary>A tool failed, in words for the caller.</summary>
/// <param name="message">What happened.</param>
/// <param name="transient">Whether the same call may go well in a moment.</param>
public sealed class ToolFailedException(string message, bool transient = false) : Exception(message)
{
    /// <summary>Whether the same call may go well in a moment.</summary>
    public bool Transient => transient;
}

/// <summary>A text of which a part has already been cut, while it was read.</summary>
/// <param name="Text">What is left.</param>
public sealed record CutText(string Text);
