// Ogg Vorbis in managed code (NVorbis): a voice of three seconds takes milliseconds where a process of its own takes a fifth of a second.
using NVorbis;
using PluginHost.Sdk;

namespace Media.Vorbis;

/// <summary>Decodes Ogg Vorbis sounds; Ogg files of another content (Opus, FLAC, video) are left to the decoder of everything else.</summary>
[Plugin("media.vorbis", "Ogg Vorbis sounds, mixed to mono and resampled, without native code.")]
[Accepts(".ogg", ".oga")]
public sealed class VorbisMedia : IMediaDecoder
{
    private const int MostFrames = 4096; // read at a time
    private const int MostChannels = 64;

    /// <inheritdoc/>
    public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
    {
        if (!File.Exists(path)) throw new BadSampleException($"{path}: the file is missing");
        if (new FileInfo(path).Length == 0) throw new BadSampleException($"{path}: the file is empty");
        // A film may have the extension too.
        if (modality != "audio") throw new BadSampleException($"{path}: a sound has no {modality}") { UnknownFormat = true };
        try
        {
            using var reader = new VorbisReader(path);
            var sound = Mono(reader, path, format.AudioSeconds, cancellation).At(format.AudioRate);
            return sound.Samples.Length <= format.AudioSamples ? sound : sound with { Samples = sound.Samples[..format.AudioSamples] };
        }
        catch (Exception error) when (error is not (OperationCanceledException or BadSampleException))
        {
            // NVorbis has no exception of its own for what it cannot read; damaged files throw anything.
            throw new BadSampleException($"{path}: not read as Ogg Vorbis: {error.Message}") { UnknownFormat = true };
        }
    }

    private static Sound Mono(VorbisReader reader, string path, double seconds, CancellationToken cancellation)
    {
        var (channels, rate) = (reader.Channels, reader.SampleRate);
        if (channels is < 1 or > MostChannels || rate is < 100 or > 1_000_000) throw new BadSampleException($"{path}: {channels} channels at {rate} Hz make no sound");
        var most = (int)Math.Min(Math.Ceiling(seconds * rate) + 1, Array.MaxLength);
        var samples = new List<float>(Math.Min(most, 1 << 20));
        var buffer = new float[MostFrames * channels];
        while (samples.Count < most && reader.ReadSamples(buffer, 0, buffer.Length) is > 0 and var read)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var at = 0; at + channels <= read && samples.Count < most; at += channels)
            {
                var sum = 0f;
                for (var channel = 0; channel < channels; channel++) sum += buffer[at + channel];
                samples.Add(float.IsFinite(sum) ? Math.Clamp(sum / channels, -1, 1) : 0);
            }
        }
        return samples.Count > 0 ? new Sound(rate, [.. samples]) : throw new BadSampleException($"{path}: it holds no sound") { UnknownFormat = true };
    }
}
