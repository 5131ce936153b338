namespace PluginHost.Sdk;

/// <summary>Kind <c>filter</c>: which samples a dataset version keeps.</summary>
public interface IFilterPlugin
{
    /// <summary>Opens the filter: loads what it decides by.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">Something that it needs is missing; the message says how to get it.</exception>
    IFilter Open(FilterContext context);
}

/// <summary>What a filter is opened with.</summary>
/// <param name="Build">The surroundings.</param>
/// <param name="Folder">Relative paths in the filter's settings are relative to this folder: the project file's.</param>
/// <param name="Decode">
/// Decodes a medium to a <see cref="Picture"/> (modality <c>image</c>) or a <see cref="Sound"/> (modality <c>audio</c>) of a form;
/// content that is decoded already comes back as it is, whatever the form. Throws <see cref="BadSampleException"/> when it cannot be decoded.
/// </param>
public sealed record FilterContext(BuildContext Build, string Folder, Func<MediaContent, string, MediaFormat, MediaContent> Decode);

/// <summary>
/// An open filter. The host first calls <see cref="Survey"/> with every sample that reached the filter's round, in order and from one thread;
/// then <see cref="Decide"/> with the same samples, from several threads at once and in any order: a decision depends on the sample
/// and on what was surveyed, on nothing else.
/// </summary>
public interface IFilter : IDisposable
{
    /// <summary>Looks at a sample before anything is decided: to learn what is usual, or what has been there before.</summary>
    /// <exception cref="BadSampleException">A medium of the sample is unusable: it is dropped with this reason.</exception>
    void Survey(Sample sample)
    {
    }

    /// <summary>Keeps or drops a sample.</summary>
    /// <exception cref="BadSampleException">A medium of the sample is unusable: it is dropped with this reason.</exception>
    FilterDecision Decide(Sample sample);
}

/// <summary>Why a sample was kept or dropped.</summary>
/// <param name="Keep">Whether it is kept.</param>
/// <param name="Score">What was measured; its unit is the filter's to say. Not a number when there was nothing to measure.</param>
/// <param name="Threshold">What it was held against.</param>
/// <param name="Reason">For a person to read: <c>text 'zh' is English with 0.97</c>; a short word such as <c>kept</c> when it is kept.</param>
public sealed record FilterDecision(bool Keep, double Score, double Threshold, string Reason)
{
    /// <summary>Ids of the samples that this one resembles, for near-duplicates.</summary>
    public IReadOnlyList<string> Similar { get; init; } = [];
}
