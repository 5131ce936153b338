using Microsoft.Extensions.AI;

namespace PluginHost.Sdk;

/// <summary>One aligned example: what is seen, what is heard, and what is said about it.</summary>
/// <param name="Id">Unique and stable within its source; decides the split.</param>
public sealed record Sample(string Id)
{
    /// <summary>The picture, if there is one.</summary>
    public MediaContent? Image { get; init; }

    /// <summary>The sound, if there is one.</summary>
    public MediaContent? Audio { get; init; }

    /// <summary>The video, if there is one.</summary>
    public MediaContent? Video { get; init; }

    /// <summary>Captions by language (<c>en</c>, <c>zh</c>, ...).</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();

    /// <summary>Questions with their answers, captions to be written among them.</summary>
    public IReadOnlyList<Turn> Turns { get; init; } = [];

    /// <summary>What can be asked in the words of a template, in every language that the source knows; see <see cref="SourceContext.Instructions"/>.</summary>
    public IReadOnlyList<Instruction> Instructions { get; init; } = [];

    /// <summary>Multipliers of the loss terms in which a modality (<c>text</c>, <c>image</c>, <c>audio</c>, <c>video</c>) takes part; absent means 1.</summary>
    public IReadOnlyDictionary<string, double> ModalityWeights { get; init; } = new Dictionary<string, double>();
}

/// <summary>A request and the response that is right.</summary>
/// <param name="Task">What it exercises; accuracy is reported by task: <c>colour</c>, <c>count</c>, <c>caption.en</c>.</param>
/// <param name="Prompt">What is asked.</param>
/// <param name="Answer">The right response.</param>
/// <param name="Needs">The modalities without which it can only be guessed: <c>image</c>, <c>audio</c>, <c>video</c>.</param>
public sealed record Turn(string Task, string Prompt, string Answer, params IReadOnlyList<string> Needs)
{
    /// <summary>Further answers that count as right; for the VQA metric the answers of all annotators.</summary>
    public IReadOnlyList<string> AlsoRight { get; init; } = [];

    /// <summary>
    /// Wrong answers that are hard to tell from right ones, as a search brings them up: they compete with the right one in <c>sample.candidates</c> before answers
    /// of other samples do, and one of them is <c>sample.negative</c>.
    /// </summary>
    public IReadOnlyList<string> Wrong { get; init; } = [];

    /// <summary>Where in the prompt media of the sample are, in ascending order; those that it does not name come before it.</summary>
    public IReadOnlyList<MediaPlace> Media { get; init; } = [];

    /// <summary>Functions that the answer may call, by <see cref="CallText.Call"/>; what the model is told of them comes before the prompt.</summary>
    public IReadOnlyList<AITool> Tools { get; init; } = [];
}

/// <summary>Something to see or hear: a file still to be decoded, or decoded content.</summary>
public abstract record MediaContent;

/// <summary>A media file on disk, decoded by the <c>media</c> plugin that accepts its extension.</summary>
/// <param name="Path">Absolute path.</param>
public sealed record MediaFile(string Path) : MediaContent;

/// <summary>A media file that lies inside another file, such as an uncompressed archive; decoded as if it were a file of its own.</summary>
/// <param name="Path">Absolute path of the file around it.</param>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Length">Its length, in bytes.</param>
/// <param name="Extension">In lower case with the dot: <c>.png</c>.</param>
public sealed record MediaPart(string Path, long Offset, int Length, string Extension) : MediaContent
{
    /// <summary>Its bytes.</summary>
    /// <exception cref="BadSampleException">The file is missing or ends before the part does.</exception>
    public byte[] Read()
    {
        try
        {
            using var file = File.OpenHandle(Path);
            var bytes = new byte[Length];
            var done = 0;
            while (done < Length && RandomAccess.Read(file, bytes.AsSpan(done), Offset + done) is > 0 and var count) done += count;
            return done == Length ? bytes : throw new BadSampleException($"{Path}: ends at {Offset + done:N0}, in the middle of a medium");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{Path}: cannot be read: {error.Message}");
        }
    }
}

/// <summary>A stretch of a medium: what is seen and heard while a subtitle is shown, say.</summary>
/// <param name="Content">The whole medium: a file or a part of one.</param>
/// <param name="Start">Where the stretch begins, in seconds.</param>
/// <param name="End">Where it ends, in seconds; after <paramref name="Start"/>.</param>
public sealed record MediaSpan(MediaContent Content, double Start, double End) : MediaContent;

/// <summary>A picture in memory.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Rgb">Rows from the top, three bytes a pixel (red, green, blue), alpha flattened onto white.</param>
public sealed record Picture(int Width, int Height, byte[] Rgb) : MediaContent;

/// <summary>A mono sound in memory.</summary>
/// <param name="Rate">Samples a second, in hertz.</param>
/// <param name="Samples">Samples in -1..1.</param>
public sealed record Sound(int Rate, float[] Samples) : MediaContent
{
    /// <summary>
    /// The sound at another rate, by a Hann-windowed sinc of 16 zero crossings to each side that also removes what the lower rate cannot carry;
    /// what leaves -1..1 by that is clipped.
    /// </summary>
    /// <param name="rate">Samples a second, in hertz.</param>
    public Sound At(int rate) => rate == Rate ? this : new Sound(rate, Resampler.Resample(Samples, Rate, rate));
}

/// <summary>A video in memory, without its sound.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Frames">Each as a <see cref="Picture"/>'s <c>Rgb</c>; at least one.</param>
/// <param name="Times">When each frame is seen, in seconds from the beginning, ascending.</param>
public sealed record Clip(int Width, int Height, IReadOnlyList<byte[]> Frames, IReadOnlyList<double> Times) : MediaContent;

/// <summary>The form in which the project wants its media.</summary>
/// <param name="ImageSize">Width and height of pictures, in pixels.</param>
/// <param name="AudioRate">Sampling rate of sounds, in hertz.</param>
/// <param name="AudioSeconds">Length of sounds, in seconds; longer ones are cut, shorter ones padded under the mask.</param>
public sealed record MediaFormat(int ImageSize, int AudioRate, double AudioSeconds)
{
    /// <summary>Length of sounds, in samples.</summary>
    public int AudioSamples => (int)Math.Round(AudioRate * AudioSeconds);

    /// <summary>Width and height of a video's frames, in pixels.</summary>
    public int VideoSize { get; init; } = 32;

    /// <summary>Frames of a video at most; longer ones are cut, shorter ones padded under the mask.</summary>
    public int VideoFrames { get; init; } = 8;

    /// <summary>Frames a second: frame k shows what is seen at k / rate seconds.</summary>
    public double VideoRate { get; init; } = 4;

    /// <summary>Where in a video or sound to begin, in seconds; what is told of its times counts from there.</summary>
    public double Start { get; init; }

    /// <summary>Where in a video or sound to end, in seconds; infinity: where it ends itself.</summary>
    public double End { get; init; } = double.PositiveInfinity;
}

/// <summary>Bad input data: the sample is dropped and its reason lands in the run record.</summary>
/// <param name="reason">What is wrong, for a person to read.</param>
public sealed class BadSampleException(string reason) : Exception(reason)
{
    /// <summary>
    /// Whether a <c>media</c> plugin says that the file is of a format that it does not read, rather than damaged: the host then asks the
    /// decoder of everything else (<c>*</c>).
    /// </summary>
    public bool UnknownFormat { get; init; }
}
