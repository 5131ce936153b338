using Media.Ffmpeg;
using Media.Vorbis;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public sealed class VorbisTests : IDisposable
{
    private static readonly string Tone = Path.Combine(AppContext.BaseDirectory, "Vorbis", "tone.ogg");
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Sound Decode(string path, MediaFormat? format = null) => (Sound)new VorbisMedia().Decode(path, "audio", format ?? Surroundings.Format, default);

    private static BadSampleException Refusal(string path, string modality = "audio") =>
        Assert.Throws<BadSampleException>(() => new VorbisMedia().Decode(path, modality, Surroundings.Format, default));

    [SkippableFact]
    public void Ogg_Decoded_IsWhatFfmpegMakesOfIt()
    {
        FfmpegTests.NeedFfmpeg();
        var format = new MediaFormat(32, 8000, 1);
        var (ours, theirs) = (Decode(Tone, format).Samples, ((Sound)new FfmpegMedia().Decode(Tone, "audio", format, default)).Samples);
        var count = Math.Min(ours.Length, theirs.Length) - 100; // the resamplers differ at the ends
        Assert.InRange(ours.Length - theirs.Length, -200, 80); // ffmpeg keeps what the last packet has beyond the stated end
        double Dot(float[] one, float[] other) => Enumerable.Range(100, count - 100).Sum(i => (double)one[i] * other[i]);
        Assert.InRange(Dot(ours, theirs) / Math.Sqrt(Dot(ours, ours) * Dot(theirs, theirs)), 0.999, 1.001);
    }

    [Fact]
    public void LongSound_IsCutToTheWantedLength() => Assert.Equal(400, Decode(Tone, new MediaFormat(32, 4000, 0.1)).Samples.Length);

    [Fact]
    public void OtherContent_IsLeftToTheDecoderOfEverythingElse()
    {
        var error = Refusal(folder.Write("a.ogg", [.. Enumerable.Range(0, 999).Select(i => (byte)(i * 31))]));
        Assert.True(error.UnknownFormat);
        Assert.Contains("a.ogg: not read as Ogg Vorbis: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Picture_IsLeftToTheDecoderOfEverythingElse() => Assert.True(Refusal(Tone, "image").UnknownFormat);

    [Fact]
    public void EmptyOrMissingFile_IsRefusedForGood()
    {
        var (empty, missing) = (Refusal(folder.Write("a.ogg", "")), Refusal(Path.Combine(folder.Path, "no.ogg")));
        Assert.EndsWith("the file is empty", empty.Message, StringComparison.Ordinal);
        Assert.EndsWith("the file is missing", missing.Message, StringComparison.Ordinal);
        Assert.False(empty.UnknownFormat || missing.UnknownFormat);
    }
}
