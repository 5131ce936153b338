namespace PluginHost.Sdk;

/// <summary>Kind <c>source</c>: where samples come from.</summary>
public interface ISourcePlugin
{
    /// <summary>Opens the source: finds its samples and assigns them to splits, decoding no media.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">The source cannot be read at all; the message says how to mend it.</exception>
    ISource Open(SourceContext context);
}

/// <summary>What a source is opened with.</summary>
/// <param name="Build">The surroundings.</param>
/// <param name="Format">The form in which the project wants its media.</param>
/// <param name="Folder">Relative paths in the source's settings are relative to this folder: the project file's.</param>
/// <param name="Reject">To be called for each row that is left out, with its reason.</param>
public sealed record SourceContext(BuildContext Build, MediaFormat Format, string Folder, Action<Rejection> Reject)
{
    /// <summary>Whether the project words instructions by templates: only then are <see cref="Sample.Instructions"/> of use.</summary>
    public bool Instructions { get; init; }
}

/// <summary>A row that was left out.</summary>
/// <param name="Id">The sample's id, or file and line.</param>
/// <param name="Reason">Why, for a person to read.</param>
public sealed record Rejection(string Id, string Reason);

/// <summary>An open source. Safe for concurrent reads; the same (split, index) always gives the same sample.</summary>
public interface ISource : IDisposable
{
    /// <summary>The splits it has: <c>train</c>, <c>validation</c>, <c>test</c> and any further ones.</summary>
    IReadOnlyList<string> Splits { get; }

    /// <summary>A hash of the data itself (files and settings), for the run record.</summary>
    string Fingerprint { get; }

    /// <summary>Number of samples of a split.</summary>
    int Count(string split);

    /// <summary>The sample at an index from 0 to <see cref="Count"/> - 1.</summary>
    /// <exception cref="BadSampleException">This sample is unusable.</exception>
    Sample Read(string split, int index);
}

/// <summary>A mistake that the user can mend: shown as a message without a stack trace, exit code 2.</summary>
/// <param name="message">What is wrong, where, and what to do about it.</param>
public sealed class UserErrorException(string message) : Exception(message);
