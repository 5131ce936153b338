// Drops pictures and sounds that show or say nothing: too small, too dark or too bright, too short, too long, silent or without speech.
// Its score is the smallest margin over all checks, in octaves: log2 of how far a measure is inside its limit (RMS 2.0 times the
// quietest allowed: 1). One scale for pixels, seconds and decibels; below 0 the sample is dropped.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Filter.Media;

/// <summary>Settings of <c>filter.media</c>.</summary>
/// <param name="SmallestSide">Shorter side of a picture at least, in pixels.</param>
/// <param name="LargestSide">Longer side of a picture at most, in pixels.</param>
/// <param name="Darkest">Mean luma of a picture at least, from 0 (black) to 1 (white).</param>
/// <param name="Brightest">Mean luma of a picture at most, from 0 (black) to 1 (white).</param>
/// <param name="ShortestSeconds">Length of a sound at least, in seconds.</param>
/// <param name="LongestSeconds">Length of a sound at most, in seconds.</param>
/// <param name="Silence">RMS level below which a sound is silent, in dBFS (a full square wave is 0).</param>
/// <param name="Speech">Share of a sound in which somebody speaks, at least, from 0 to 1; 0: not asked, and the model is not opened.</param>
/// <param name="SpeechThreshold">Probability from which 32 ms of a sound count as speech.</param>
/// <param name="SpeechModel">The Silero VAD of version 5 or 6, an ONNX file.</param>
public sealed record MediaOptions(
    [property: Range(1, 100_000), Description("Shorter side of a picture at least, in pixels.")] int SmallestSide = 16,
    [property: Range(1, 100_000), Description("Longer side of a picture at most, in pixels.")] int LargestSide = 16_384,
    [property: Range(0.0, 1.0), Description("Mean luma of a picture at least, from 0 (black) to 1 (white).")] double Darkest = 0.02,
    [property: Range(0.0, 1.0), Description("Mean luma of a picture at most, from 0 (black) to 1 (white).")] double Brightest = 0.995,
    [property: Range(0.0, 3600.0), Description("Length of a sound at least, in seconds.")] double ShortestSeconds = 0.1,
    [property: Range(0.01, 3600.0), Description("Length of a sound at most, in seconds.")] double LongestSeconds = 60,
    [property: Range(-200.0, 0.0), Description("RMS level below which a sound is silent, in dBFS (a full square wave is 0).")] double Silence = -60,
    [property: Range(0.0, 1.0), Description("Share of a sound in which somebody speaks, at least, from 0 to 1; 0: not asked, and the model is not opened.")] double Speech = 0,
    [property: Range(0.01, 0.99), Description("Probability from which 32 ms of a sound count as speech.")] double SpeechThreshold = 0.5,
    [property: Description("The Silero VAD of version 5 or 6, an ONNX file; read when 'speech' is above 0.")] string SpeechModel = "node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx");

/// <summary>Dimensions, brightness, duration, silence and speech.</summary>
[Plugin("filter.media", "Drops pictures that are too small, large, dark or bright, and sounds that are too short, long, silent or without speech.")]
public sealed class MediaFilter(MediaOptions options) : IFilterPlugin
{
    /// <inheritdoc/>
    public IFilter Open(FilterContext context)
    {
        if (options.SmallestSide > options.LargestSide)
            throw new UserErrorException($"filter.media: 'smallestSide' ({options.SmallestSide}) is more than 'largestSide' ({options.LargestSide}), so that no picture would be left.");
        if (options.Darkest >= options.Brightest)
            throw new UserErrorException($"filter.media: 'darkest' ({options.Darkest}) is not below 'brightest' ({options.Brightest}), so that no picture would be left.");
        if (options.ShortestSeconds >= options.LongestSeconds)
            throw new UserErrorException($"filter.media: 'shortestSeconds' ({options.ShortestSeconds}) is not below 'longestSeconds' ({options.LongestSeconds}), so that no sound would be left.");
        var voice = options.Speech > 0 ? VoiceActivity.Open(Path.GetFullPath(options.SpeechModel, Path.GetFullPath(context.Folder))) : null;
        return new OpenMediaFilter(options, context, voice);
    }
}

internal sealed class OpenMediaFilter(MediaOptions options, FilterContext context, VoiceActivity? voice) : IFilter
{
    private const int Looked = 64;         // pixels a side are enough for a mean
    private const double Widest = 10;      // octaves: further inside or outside is the same to everybody
    private const string Kept = "kept";

    // Hertz; most sounds have their energy below half of the lower one.
    private readonly int rate = voice is null ? 8000 : VoiceActivity.Rate;

    private readonly record struct Margin(double Octaves, string Reason);

    /// <inheritdoc/>
    public FilterDecision Decide(Sample sample)
    {
        var margins = new List<Margin>();
        if (sample.Image is { } image) Picture(image, margins);
        if (sample.Audio is { } audio) Sound(audio, margins);
        if (margins.Count == 0) return new FilterDecision(true, double.NaN, 0, "no picture and no sound");
        var least = margins.MinBy(margin => margin.Octaves);
        var score = Math.Clamp(least.Octaves, -Widest, Widest);
        return new FilterDecision(score >= 0, score, 0, score >= 0 ? Kept : least.Reason);
    }

    /// <inheritdoc/>
    public void Dispose() => voice?.Dispose();

    private void Picture(MediaContent image, List<Margin> margins)
    {
        var size = PictureSize.Of(image);
        if (size is var (width, height))
        {
            margins.Add(new(Octaves(Math.Min(width, height), options.SmallestSide), FormattableString.Invariant($"picture too small: {width}x{height} pixels, at least {options.SmallestSide} a side are asked")));
            margins.Add(new(Octaves(options.LargestSide, Math.Max(width, height)), FormattableString.Invariant($"picture too large: {width}x{height} pixels, at most {options.LargestSide} a side are asked")));
        }
        if (context.Decode(image, "image", new MediaFormat(Looked, rate, 1)) is not Picture picture) return;
        var luma = Brightness.Mean(picture, image is Picture ? null : size);
        margins.Add(new(Octaves(luma, options.Darkest), FormattableString.Invariant($"picture too dark: mean luma {luma:0.000}, at least {options.Darkest} is asked")));
        margins.Add(new(Octaves(1 - luma, 1 - options.Brightest), FormattableString.Invariant($"picture too bright: mean luma {luma:0.000}, at most {options.Brightest} is asked")));
    }

    private void Sound(MediaContent audio, List<Margin> margins)
    {
        // One second more than allowed tells a sound that is too long from one that just fits.
        if (context.Decode(audio, "audio", new MediaFormat(Looked, rate, options.LongestSeconds + 1)) is not Sound sound) return;
        var seconds = (double)sound.Samples.Length / sound.Rate;
        var level = Level(sound);
        margins.Add(new(Octaves(seconds, options.ShortestSeconds), FormattableString.Invariant($"sound too short: {seconds:0.00} s, at least {options.ShortestSeconds} s are asked")));
        margins.Add(new(Octaves(options.LongestSeconds, seconds), FormattableString.Invariant($"sound too long: {seconds:0.00} s or more, at most {options.LongestSeconds} s are asked")));
        margins.Add(new((level - options.Silence) / (20 * Math.Log10(2)), FormattableString.Invariant($"silent: {level:0.0} dBFS, at least {options.Silence} dBFS are asked")));
        if (voice?.Share(sound, options.SpeechThreshold) is not { } share) return;
        margins.Add(new(Octaves(share, options.Speech), FormattableString.Invariant($"too little speech: in {share:0.000} of the sound, at least {options.Speech} is asked")));
    }

    /// <summary>20 log10 of the root of the mean square, in dBFS; -200 for digital silence.</summary>
    internal static double Level(Sound sound)
    {
        var squares = sound.Samples.Sum(sample => (double)sample * sample);
        return squares == 0 ? -200 : Math.Max(-200, 10 * Math.Log10(squares / sound.Samples.Length));
    }

    // A limit of 0 is none.
    private static double Octaves(double value, double limit) => limit <= 0 ? Widest : value <= 0 ? -Widest : Math.Log2(value / limit);
}
