// Every sound and video format that FFmpeg reads. Of a video it gives frames at a constant rate, a typical frame as the picture, the track as the sound.
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
    private const string DiskFull = "No space left on device";

    // What ffmpeg's demultiplexers say of a file that ends too early.
    private static readonly string[] Torn = ["partial file", "ended prematurely", "truncat"];

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
            "video" => Video(path, format, cancellation),
            _ => throw new BadSampleException($"{path}: ffmpeg gives pictures, sounds and videos, no {modality}"),
        };
    }

    private Sound Sound(string path, MediaFormat format, CancellationToken cancellation)
    {
        var seconds = Number(Math.Min(format.AudioSeconds, format.End - format.Start));
        var bytes = Run(path, Beginning(format), $"-vn -map 0:a:0 -t {seconds} -ac 1 -ar {format.AudioRate} -c:a pcm_f32le -f f32le", cancellation).Output;
        var samples = new float[Math.Min(bytes.Length / sizeof(float), format.AudioSamples)];
        if (samples.Length == 0) throw new BadSampleException($"{path}: it holds no sound");
        Buffer.BlockCopy(bytes, 0, samples, 0, samples.Length * sizeof(float));
        for (var i = 0; i < samples.Length; i++) samples[i] = float.IsFinite(samples[i]) ? Math.Clamp(samples[i], -1, 1) : 0;
        return new Sound(format.AudioRate, samples);
    }

    private Picture Picture(string path, MediaFormat format, CancellationToken cancellation)
    {
        // 'thumbnail' picks the most typical of the first hundred frames.
        var end = double.IsFinite(format.End) ? $"-t {Number(format.End - format.Start)} " : "";
        var rgba = Run(path, Beginning(format), $"{end}-an -map 0:v:0 -vf \"thumbnail=100,{Fitted(format.ImageSize)}\" -frames:v 1 -pix_fmt rgba -f rawvideo", cancellation).Output;
        if (rgba.Length != format.ImageSize * format.ImageSize * 4) throw new BadSampleException($"{path}: it holds no picture");
        return new Picture(format.ImageSize, format.ImageSize, Flattened(rgba));
    }

    private Clip Video(string path, MediaFormat format, CancellationToken cancellation)
    {
        var seconds = Math.Min(format.VideoFrames / format.VideoRate, format.End - format.Start);
        // 'fps' gives the frame that is seen at each multiple of 1 / rate: it leaves frames out and repeats them.
        var filter = $"setpts=PTS-STARTPTS,fps={Number(format.VideoRate)}:round=up,{Fitted(format.VideoSize)}";
        var (rgba, log) = Run(path, Beginning(format), $"-t {Number(seconds)} -an -map 0:v:0 -vf \"{filter}\" -frames:v {format.VideoFrames} -pix_fmt rgba -f rawvideo", cancellation);
        // Of a file that is cut short ffmpeg gives what there is, and no failure: the end of what happens would be missing.
        if (log.FirstOrDefault(line => Torn.Any(mark => line.Contains(mark, StringComparison.OrdinalIgnoreCase))) is { } torn)
            throw new BadSampleException($"{path}: the file is cut short: {torn}");
        var size = format.VideoSize * format.VideoSize * 4;
        var frames = Enumerable.Range(0, Math.Min(rgba.Length / size, format.VideoFrames)).Select(frame => Flattened(rgba.AsSpan(frame * size, size))).ToArray();
        if (frames.Length == 0) throw new BadSampleException($"{path}: it holds no video{(format.Start > 0 ? $" at {Number(format.Start)} s" : "")}");
        // Arrays: a list made by a collection expression is a type of this assembly, and whoever remembers the clip would keep the plugin in memory.
        return new Clip(format.VideoSize, format.VideoSize, frames, frames.Select((_, frame) => frame / format.VideoRate).ToArray());
    }

    private static string Beginning(MediaFormat format) => format.Start > 0 ? $" -ss {Number(format.Start)}" : "";

    // Padding is transparent and becomes white when it is flattened.
    private static string Fitted(int size) => $"format=rgba,scale={size}:{size}:force_original_aspect_ratio=decrease,pad={size}:{size}:(ow-iw)/2:(oh-ih)/2:color=white@0";

    private static byte[] Flattened(ReadOnlySpan<byte> rgba)
    {
        var rgb = new byte[rgba.Length / 4 * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
            for (var channel = 0; channel < 3; channel++)
                rgb[to + channel] = (byte)((rgba[from + channel] * rgba[from + 3] + 255 * (255 - rgba[from + 3]) + 127) / 255);
        return rgb;
    }

    private static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private (byte[] Output, IReadOnlyList<string> Log) Run(string path, string beginning, string arguments, CancellationToken cancellation)
    {
        if (!Installed()) throw new BadSampleException($"{path}: needs the program ffmpeg, which is not installed; on Debian: apt-get install ffmpeg");
        // Through a file: a pipe's end is not told apart from a pipe that ffmpeg never opened.
        var output = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():n}.raw");
        var log = new List<string>();
        try
        {
            FFMpegArguments
                // A playlist must not make ffmpeg fetch anything else.
                .FromFileInput(path, verifyExists: false, input => input.WithCustomArgument("-nostdin -v error -protocol_whitelist file" + beginning))
                .OutputToFile(output, overwrite: true, options => options.WithCustomArgument(arguments))
                .NotifyOnStandardError(log.Add)
                .CancellableThrough(cancellation)
                .ProcessSynchronously();
            cancellation.ThrowIfCancellationRequested();
            return (File.Exists(output) ? File.ReadAllBytes(output) : [], log);
        }
        catch (FFMpegException error)
        {
            // A full disk is no fault of the sample.
            if (error.Message.Contains(DiskFull, StringComparison.Ordinal)) throw new IOException($"ffmpeg's output cannot be written: {DiskFull}; make room in {Path.GetTempPath()}, or set TMPDIR to a folder that has some", error);
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
