using PluginHost.Catalog;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>A loaded media decoder with the extensions that it accepts.</summary>
/// <param name="Id">Plugin id, for messages.</param>
/// <param name="Extensions">In lower case with the dot; <c>*</c> takes what no other decoder takes.</param>
/// <param name="Decoder">The decoder.</param>
public sealed record MediaPlugin(string Id, IReadOnlyList<string> Extensions, IMediaDecoder Decoder);

/// <summary>Turns media files into pictures, sounds and videos of the project's format, and remembers them. Thread-safe.</summary>
/// <param name="plugins">Decoders in order of preference.</param>
/// <param name="format">The wanted form.</param>
/// <param name="rememberedBytes">Bytes of decoded media to remember.</param>
/// <param name="limit">Longest time that a decoder may take for one medium; null: 30 s. A decoder that hangs costs its sample, not the run.</param>
internal sealed class MediaLibrary(IReadOnlyList<MediaPlugin> plugins, MediaFormat format, long rememberedBytes, TimeSpan? limit = null)
{
    private const long DecodingBytes = 8L << 20; // that a decoder may leave behind, about
    private readonly TimeSpan limit = limit ?? TimeSpan.FromSeconds(30);
    private readonly Lock gate = new();
    private readonly Dictionary<(MediaContent Content, string Modality, int Detail), (MediaContent Decoded, MediaFormat Form)> remembered = [];
    private long room = rememberedBytes;

    /// <summary>The sample with its media decoded; the file of a video stands in for a picture and a sound that it lacks. Unused modalities are dropped.</summary>
    /// <exception cref="BadSampleException">A medium is unusable.</exception>
    public Sample Decode(Sample sample, IReadOnlyList<string> modalities, CancellationToken cancellation)
    {
        var image = modalities.Contains(Modality.Image) ? sample.Image ?? StandIn(sample) : null;
        var audio = modalities.Contains(Modality.Audio) ? sample.Audio ?? StandIn(sample) : null;
        return sample with
        {
            Image = image is null ? null : Fitting(Decode(image, Modality.Image, format, cancellation)),
            Audio = audio is null ? null : Fitting(OpenSound(audio, optional: sample.Audio is null, cancellation)),
            Video = modalities.Contains(Modality.Video) && sample.Video is { } video ? Fitting(Decode(video, Modality.Video, format, cancellation)) : null,
            Turns = sample.Video is null || modalities.Contains(Modality.Video) ? sample.Turns
                : [.. sample.Turns.Select(turn => WithoutVideo(turn, image is not null ? Modality.Image : Modality.Audio))],
        };
    }

    // Who sees a video as a picture needs that picture.
    private static Turn WithoutVideo(Turn turn, string standIn) =>
        turn.Needs.Contains(Modality.Video) ? turn with { Needs = [.. turn.Needs.Select(need => need == Modality.Video ? standIn : need).Distinct()] } : turn;

    /// <summary>What may stand in for a missing picture and sound: the video, unless it is decoded already, which leaves frames alone.</summary>
    public static MediaContent? StandIn(Sample sample) => sample.Video is Clip ? null : sample.Video;

    private MediaContent? OpenSound(MediaContent audio, bool optional, CancellationToken cancellation)
    {
        try
        {
            return Decode(audio, Modality.Audio, format, cancellation);
        }
        catch (BadSampleException) when (optional)
        {
            return null; // a video without a sound track is a silent sample, not a bad one
        }
    }

    /// <summary>A medium in a form; decoded content comes back as it is.</summary>
    /// <exception cref="BadSampleException">It is unusable.</exception>
    public MediaContent Decode(MediaContent content, string modality, MediaFormat wanted, CancellationToken cancellation)
    {
        if (content is not (MediaFile or MediaPart or MediaSpan)) return content;
        var key = (content, modality, modality switch { Modality.Audio => wanted.AudioRate, Modality.Video => wanted.VideoSize, _ => wanted.ImageSize });
        lock (gate)
            if (remembered.TryGetValue(key, out var known) && IsSame(known.Decoded, known.Form, wanted)) return known.Decoded;
        var decoded = DecodeNow(content, modality, wanted, cancellation);
        // Lists of our own: what is remembered must hold no type of the plugin that made it.
        if (decoded is Clip made) decoded = made with { Frames = made.Frames.ToArray(), Times = made.Times.ToArray() };
        var size = decoded switch { Picture picture => picture.Rgb.Length, Sound sound => sound.Samples.Length * (long)sizeof(float), Clip clip => clip.Frames.Sum(frame => (long)frame.Length), _ => 0 };
        lock (gate)
        {
            // Nothing is ever evicted: with whole epochs in shuffled order, the last used is not the next one wanted.
            if (size <= room && remembered.TryAdd(key, (decoded, wanted))) room -= size;
        }
        return decoded;
    }

    // Pictures depend on their size alone, which is in the key; a sound that neither form cuts is the same in both.
    private static bool IsSame(MediaContent decoded, MediaFormat form, MediaFormat wanted) => decoded switch
    {
        Sound sound => form.AudioSamples == wanted.AudioSamples || (sound.Samples.Length < form.AudioSamples && sound.Samples.Length <= wanted.AudioSamples),
        Clip => (form.VideoFrames, form.VideoRate) == (wanted.VideoFrames, wanted.VideoRate),
        _ => true,
    };

    private MediaContent DecodeNow(MediaContent content, string modality, MediaFormat wanted, CancellationToken cancellation)
    {
        if (content is MediaSpan span) return DecodeNow(span.Content, modality, wanted with { Start = span.Start, End = span.End }, cancellation);
        StepGate.AwaitRoom(DecodingBytes);
        if (content is MediaFile file)
        {
            // Who reads from a named pipe waits for ever; it has no length, as an empty file has none.
            if (new FileInfo(file.Path) is { Exists: true, Length: 0 }) throw new BadSampleException($"{file.Path}: the file is empty");
            return Run(file.Path, modality, wanted, cancellation);
        }
        var part = (MediaPart)content;
        // Decoders take files: the part is one for as long as it takes.
        var copy = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():N}{part.Extension}");
        try
        {
            Write(copy, part.Read());
            return Run(copy, modality, wanted, cancellation);
        }
        catch (BadSampleException error)
        {
            throw new BadSampleException(error.Message.Replace(copy, $"{part.Path} at {part.Offset}", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(copy);
        }
    }

    // A full disk is no fault of the sample: it must not be dropped for it.
    private static void Write(string copy, byte[] bytes)
    {
        try
        {
            File.WriteAllBytes(copy, bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"a decoder's copy of a medium cannot be written: {error.Message}; make room in {Path.GetTempPath()}, or set TMPDIR to a folder that has some", error);
        }
    }

    // The decoder of everything else is asked last: by the extension, or by the decoder that the extension names.
    private MediaContent Run(string path, string modality, MediaFormat wanted, CancellationToken cancellation)
    {
        var extension = Path.GetExtension(path).ToLowerInvariant();
        var (named, general) = (plugins.FirstOrDefault(plugin => plugin.Extensions.Contains(extension)), plugins.FirstOrDefault(plugin => plugin.Extensions.Contains("*")));
        if ((named ?? general) is not { } first)
            throw new BadSampleException($"no media plugin takes '{extension}' files; there are {string.Join(", ", plugins.Select(p => $"{p.Id} ({string.Join(' ', p.Extensions)})"))}");
        try
        {
            return Try(first.Decoder, path, modality, wanted, cancellation);
        }
        catch (BadSampleException error) when (error.UnknownFormat && general is not null && general != first)
        {
            try
            {
                return Try(general.Decoder, path, modality, wanted, cancellation);
            }
            catch (BadSampleException second)
            {
                throw new BadSampleException($"{error.Message}; {second.Message}");
            }
        }
    }

    // Time on the clock says little on a busy machine: a decoder that ran out of it gets twice as much once more.
    private MediaContent Try(IMediaDecoder decoder, string path, string modality, MediaFormat wanted, CancellationToken cancellation)
    {
        foreach (var time in (TimeSpan[])[limit, 2 * limit])
            if (Within(time, token => decoder.Decode(path, modality, wanted, token), cancellation) is { } content) return content;
        throw new BadSampleException(FormattableString.Invariant($"{path}: decoding took more than {limit.TotalSeconds:0.##} s, and when tried again more than {2 * limit.TotalSeconds:0.##} s"));
    }

    // On a thread of its own, since a decoder that hangs may not heed its token either. Null when the time is over.
    private static MediaContent? Within(TimeSpan time, Func<CancellationToken, MediaContent> decode, CancellationToken cancellation)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        MediaContent? content = null;
        var decoding = PluginThreads.Run("media", () => content = decode(stop.Token));
        try
        {
            if (!((IAsyncResult)decoding).AsyncWaitHandle.WaitOne(time))
            {
                stop.Cancel();
                return null;
            }
            decoding.GetAwaiter().GetResult();
            return content;
        }
        finally
        {
            if (decoding.IsCompleted) stop.Dispose();
        }
    }

    private MediaContent? Fitting(MediaContent? content) => content switch
    {
        null => null,
        Picture picture when picture.Width == format.ImageSize && picture.Height == format.ImageSize && picture.Rgb.Length == 3 * picture.Width * picture.Height => picture,
        Picture picture => throw new BadSampleException($"the picture is {picture.Width}x{picture.Height} where {format.ImageSize}x{format.ImageSize} is wanted"),
        Clip clip when clip.Frames.Count > 0 && clip.Times.Count == clip.Frames.Count && clip.Width == format.VideoSize && clip.Height == format.VideoSize => clip,
        Clip clip => throw new BadSampleException($"the video has {clip.Frames.Count} frames of {clip.Width}x{clip.Height} at {clip.Times.Count} times where {format.VideoSize}x{format.VideoSize} is wanted"),
        Sound sound when sound.Rate == format.AudioRate && sound.Samples.Length > 0 => sound,
        Sound sound => throw new BadSampleException($"the sound has {sound.Samples.Length} samples at {sound.Rate} Hz where {format.AudioRate} Hz is wanted"),
        _ => throw new BadSampleException($"a decoder gave a {content.GetType().Name}, neither picture nor sound nor video"),
    };
}
