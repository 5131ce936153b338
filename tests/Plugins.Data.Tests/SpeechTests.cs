using Filter.Media;
using Media.Vorbis;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

/// <summary>Speech in <c>filter.media</c>: with the model of its sample, which measures loudness, and with the published one.</summary>
public sealed class SpeechTests : IDisposable
{
    private const int Rate = 16_000;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Gives the square root of a frame's mean amplitude for the probability of speech.</summary>
    private static string Loudness => Path.Combine(AppContext.BaseDirectory, "Media", "speech.onnx");

    private static string Published() => Path.Combine(NpmPackages.Folder("@ricky0123/vad-web", "0.0.31"), "dist", "silero_vad_v5.onnx");

    private static FilterDecision Decide(MediaOptions options, Sound sound)
    {
        using var filter = new MediaFilter(options).Open(Surroundings.Filter());
        return filter.Decide(new Sample("a") { Audio = sound });
    }

    private static Sound Square(int rate, params float[] seconds) =>
        new(rate, [.. seconds.SelectMany(amplitude => Enumerable.Range(0, rate).Select(i => i % 2 == 0 ? amplitude : -amplitude))]);

    /// <summary>Noise whose power falls by 3 dB an octave: the sum of random values that are renewed half as often each (Voss).</summary>
    private static Sound PinkNoise(int seconds)
    {
        var random = new Random(5);
        var values = new double[16];
        var samples = new float[seconds * Rate];
        for (var i = 0; i < samples.Length; i++)
        {
            values[Math.Min(15, System.Numerics.BitOperations.TrailingZeroCount(i + 1))] = random.NextDouble() - 0.5;
            samples[i] = (float)(values.Sum() / 8);
        }
        return new Sound(Rate, samples);
    }

    private string Refusal(string model) => Assert.Throws<UserErrorException>(() => new MediaFilter(new MediaOptions(Speech: 0.2, SpeechModel: model)).Open(Surroundings.Filter(folder.Path))).Message;

    [Fact]
    public void Speech_ShareOfFrames_IsHeldAgainstTheLimit()
    {
        var half = Square(Rate, 0.5f, 0.01f, 0.01f, 0.5f);
        Assert.Equal("too little speech: in 0.496 of the sound, at least 0.75 is asked", Decide(new MediaOptions(Speech: 0.75, SpeechModel: Loudness), half).Reason);
        var kept = Decide(new MediaOptions(Speech: 0.25, SpeechModel: Loudness), half);
        Assert.Equal(("kept", true), (kept.Reason, kept.Keep));
        Assert.Equal(Math.Log2(0.496 / 0.25), kept.Score, 2);
        Assert.True(Decide(new MediaOptions(Speech: 0.75, SpeechThreshold: 0.05, SpeechModel: Loudness), half).Keep);
    }

    [Fact]
    public void Speech_SoundOfAnotherRate_IsResampled()
    {
        // Its values hold for two of the model's samples: the frames are as many as at the model's rate.
        var slow = new Sound(8000, [.. Square(8000, 0.5f, 0.01f).Samples.Select(MathF.Abs)]);
        Assert.Equal("too little speech: in 0.492 of the sound, at least 0.75 is asked", Decide(new MediaOptions(Speech: 0.75, SpeechModel: Loudness), slow).Reason);
    }

    [Fact]
    public void Speech_NotAsked_NeedsNoModel() => Assert.True(Decide(new MediaOptions(SpeechModel: "none.onnx"), Square(Rate, 0.5f)).Keep);

    [Fact]
    public void Speech_ModelMissing_SaysHowToInstallIt() =>
        Assert.Equal($"filter.media: there is no speech model '{Path.Combine(folder.Path, "none.onnx")}'; install it beside the project file with: npm install @ricky0123/vad-web@0.0.31 (or set 'speechModel')", Refusal("none.onnx"));

    [Fact]
    public void Speech_ModelDamaged_IsRefused()
    {
        folder.Write("torn.onnx", File.ReadAllBytes(Loudness)[..100]);
        Assert.Contains("torn.onnx' cannot be read as an ONNX model", Refusal("torn.onnx"), StringComparison.Ordinal);
    }

    [Fact]
    public void Speech_ModelOfAnotherKind_NamesWhatItReads()
    {
        // A name of the same length in its place: the file stays whole.
        var bytes = File.ReadAllBytes(Loudness);
        for (int at; (at = bytes.AsSpan().IndexOf("stateN"u8)) >= 0;) "memory"u8.CopyTo(bytes.AsSpan(at));
        folder.Write("other.onnx", bytes);
        Assert.Contains("reads input, state, sr and gives output, memory where the Silero VAD of version 5 or 6 reads input, state, sr and gives output, stateN", Refusal("other.onnx"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Speech_PublishedModel_KeepsVoicesAndDropsNoise()
    {
        var options = new MediaOptions(Speech: 0.2, SpeechModel: Published());
        var voices = Directory.Exists("/usr/share/tuxpaint/stamps") ? Directory.GetFiles("/usr/share/tuxpaint/stamps/animals", "*_desc_fr.ogg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(20).ToArray() : [];
        Skip.If(voices.Length == 0, "needs Debian's tuxpaint-stamps-default");
        Assert.All(voices, voice => Assert.Equal("kept", Decide(options, (Sound)new VorbisMedia().Decode(voice, "audio", new MediaFormat(32, Rate, 10), default)).Reason));
        Assert.Equal("too little speech: in 0.000 of the sound, at least 0.2 is asked", Decide(options, PinkNoise(3)).Reason);
        Assert.StartsWith("silent", Decide(options, new Sound(Rate, new float[3 * Rate])).Reason, StringComparison.Ordinal);
    }
}
