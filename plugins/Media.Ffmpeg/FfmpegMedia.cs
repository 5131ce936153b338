// Every sound and video format that FFmpeg reads. Of a video it gives a typical frame as the picture and the track as the sound.
using System.Globalization;
using FFMpegCore;
using FFMpegCore.Exceptions;
using PluginHost.Sdk;
using MediaFormat = PluginHost.Sdk.MediaFormat;

namespace Media.Ffmpeg;

/// <summary>Decodes by the program <c>ffmpeg</c>, which has to be installed.</summary>
[Plugin("media.ffmpeg", "Every other sound, picture and video, decoded by the installed program ffmpeg.")]
[Accepts("*")]
public sealed class FfmpegMedia : IMediaDecoder
{
    /// <summary>Folders in which the program is looked for.</summary>
    internal string SearchPath { get; init; } = Environment.GetEnvironmentVariable("PATH") ?? "";

    /// <inheritdoc/>
    public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
    {
        if (!File.Exists(path)) throw new BadSampleException($"{path}: the file is missing");
        if (new FileInfo(path).Length == 0) throw new BadSampleException($"{path}: the file is empty");
        return modality switch
        {
            "audio" => Sound(path, format, cancellation),
            "image" => Picture(path, format, cancellation),
            _ => throw new BadSampleException($"{path}: ffmpeg gives pictures and sounds, no {modality}"),
        };
    }

    private Sound Sound(string path, MediaFormat format, CancellationToken cancellation)
    {
        var seconds = format.AudioSeconds.ToString(CultureInfo.InvariantCulture);
        var bytes = Run(path, $"-vn -map 0:a:0 -t {seconds} -ac 1 -ar {format.AudioRate} -c:a pcm_f32le -f f32le", cancellation);
        var samples = new float[Math.Min(bytes.Length / sizeof(float), format.AudioSamples)];
        if (samples.Length == 0) throw new BadSampleException($"{path}: it holds no sound");
        Buffer.BlockCopy(bytes, 0, samples, 0, samples.Length * sizeof(float));
        for (var i = 0; i < samples.Length; i++) samples[i] = float.IsFinite(samples[i]) ? Math.Clamp(samples[i], -1, 1) : 0;
        return new Sound(format.AudioRate, samples);
    }

    private Picture Picture(string path, MediaFormat format, CancellationToken cancellation)
    {
        var size = format.ImageSize;
        // 'thumbnail' picks the most typical of the first hundred frames; padding is transparent and becomes white below.
        var filter = $"thumbnail=100,format=rgba,scale={size}:{size}:force_original_aspect_ratio=decrease,pad={size}:{size}:(ow-iw)/2:(oh-ih)/2:color=white@0";
        var rgba = Run(path, $"-an -map 0:v:0 -vf \"{filter}\" -frames:v 1 -pix_fmt rgba -f rawvideo", cancellation);
        if (rgba.Length != size * size * 4) throw new BadSampleException($"{path}: it holds no picture");
        var rgb = new byte[size * size * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
            for (var channel = 0; channel < 3; channel++)
                rgb[to + channel] = (byte)((rgba[from + channel] * rgba[from + 3] + 255 * (255 - rgba[from + 3]) + 127) / 255);
        return new Picture(size, size, rgb);
    }

    private byte[] Run(string path, string arguments, CancellationToken cancellation)
    {
        if (!Installed()) throw new BadSampleException($"{path}: needs the program ffmpeg, which is not installed; on Debian: apt-get install ffmpeg");
        // Through a file: a pipe's end is not told apart from a pipe that ffmpeg never opened.
        var output = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():n}.raw");
        try
        {
            FFMpegArguments
                // A playlist must not make ffmpeg fetch anything else.
                .FromFileInput(path, verifyExists: false, input => input.WithCustomArgument("-nostdin -v error -protocol_whitelist file"))
                .OutputToFile(output, overwrite: true, options => options.WithCustomArgument(arguments))
                .CancellableThrough(cancellation)
                .ProcessSynchronously();
            cancellation.ThrowIfCancellationRequested();
            return File.Exists(output) ? File.ReadAllBytes(output) : [];
        }
        catch (FFMpegException error)
        {
            throw new BadSampleException($"{path}: ffmpeg cannot decode it: {LastLine(error)}");
        }
        finally
        {
            File.Delete(output);
        }
    }

    private bool Installed() => SearchPath.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, "ffmpeg")) || File.Exists(Path.Combine(folder, "ffmpeg.exe")));

    private static string LastLine(FFMpegException error) =>
        error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "no reason given";
}
