// RIFF WAVE in managed code: PCM of 8 to 32 bits, IEEE floats of 32 and 64, plain or extensible headers, any channels.
using PluginHost.Sdk;

namespace Media.Wav;

/// <summary>Decodes uncompressed sounds.</summary>
[Plugin("media.wav", "Uncompressed WAV sounds, mixed to mono and resampled, without native code.")]
[Accepts(".wav", ".wave")]
public sealed class WavMedia : IMediaDecoder
{
    /// <inheritdoc/>
    public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
    {
        if (modality != "audio") throw new BadSampleException($"{path}: a sound has no {modality}");
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var (rate, samples) = new WavReader(path, stream).Read(format.AudioSeconds);
            cancellation.ThrowIfCancellationRequested();
            var sound = new Sound(rate, samples).At(format.AudioRate);
            return sound.Samples.Length <= format.AudioSamples ? sound : sound with { Samples = sound.Samples[..format.AudioSamples] };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{path}: cannot be read: {error.Message}");
        }
    }
}
