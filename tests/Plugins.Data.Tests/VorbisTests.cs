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
        // At the file's own rate nobody resamples.
        var format = new MediaFormat(32, 8000, 1);
        var (ours, theirs) = (Decode(Tone, format).Samples, ((Sound)new FfmpegMedia().Decode(Tone, "audio", format, default)).Samples);

        // The last page states 2,400 samples; its ten packets hold 2,560. ffmpeg 5.1 takes the first packet, which only opens the overlap and gives nothing,
        // for a block of 256: what it would have to leave out is then longer than the last block, and it leaves out nothing.
        Assert.Equal(2400, ours.Length);
        Assert.True(theirs.Length is 2400 or 2560, $"ffmpeg gives {theirs.Length} samples");
        Assert.All(Enumerable.Range(0, ours.Length), i => Assert.Equal(theirs[i], ours[i], 1e-5f));
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
