namespace PluginHost.Serving.Jobs;

/// <summary>A training that somebody has asked for. Its run folder is made with it, so that beginning it and going on with it are the same.</summary>
/// <param name="Number">Its place in the order of jobs: clocks may jump.</param>
/// <param name="Id">Its name in requests.</param>
/// <param name="Model">What was named as its model.</param>
/// <param name="File">The project file's name.</param>
/// <param name="Run">The run folder, absolute.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Created">When it was asked for.</param>
public sealed record TrainingJob(long Number, string Id, string Model, string File, string Run, JobStatus Status, DateTimeOffset Created)
{
    /// <summary>When it ended; null: it has not.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Why it failed; null: it has not.</summary>
    public string? Error { get; init; }

    /// <summary>What was asked to differ from the project file, as JSON.</summary>
    public string Hyperparameters { get; init; } = "{}";
}

/// <summary>Where a job stands.</summary>
public enum JobStatus
{
    /// <summary>It waits for those before it.</summary>
    Queued,

    /// <summary>It trains, or will go on as soon as the server is up.</summary>
    Running,

    /// <summary>It waits until somebody lets it go on.</summary>
    Paused,

    /// <summary>Its run is finished.</summary>
    Succeeded,

    /// <summary>Its run has failed; it can be tried again from its last checkpoint.</summary>
    Failed,

    /// <summary>Nobody wants it any more.</summary>
    Cancelled,
}

/// <summary>Something that happened to a job.</summary>
/// <param name="Number">Its place in the order of events.</param>
/// <param name="Level"><c>info</c> or <c>error</c>.</param>
/// <param name="Message">What.</param>
/// <param name="Created">When.</param>
public sealed record JobEvent(long Number, string Level, string Message, DateTimeOffset Created);
