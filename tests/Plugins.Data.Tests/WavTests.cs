using System.Text;
using CsCheck;
using Media.Wav;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public sealed class WavTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A sine of half amplitude in every channel.</summary>
    internal static byte[] Sine(int encoding, int bits, int channels, int rate, double hertz, double seconds, bool extensible = false)
    {
        using var data = new MemoryStream();
        using var writer = new BinaryWriter(data);
        for (var i = 0; i < (int)(rate * seconds); i++)
        {
            var value = 0.5 * Math.Sin(2 * Math.PI * hertz * i / rate);
            for (var channel = 0; channel < channels; channel++) Write(writer, value, encoding, bits);
        }
        return Riff(encoding, bits, channels, rate, data.ToArray(), extensible);
    }

    private static void Write(BinaryWriter writer, double value, int encoding, int bits)
    {
        if (encoding == 3 && bits == 32) writer.Write((float)value);
        else if (encoding == 3) writer.Write(value);
        else if (bits == 8) writer.Write((byte)(128 + value * 127));
        else writer.Write(BitConverter.GetBytes((int)(value * int.MaxValue)).AsSpan(4 - bits / 8));
    }

    private static byte[] Riff(int encoding, int bits, int channels, int rate, byte[] data, bool extensible)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.ASCII);
        writer.Write("RIFF"u8);
        writer.Write(0);
        writer.Write("WAVELIST"u8);
        writer.Write(3); // an odd chunk is padded to an even length
        writer.Write(new byte[4]);
        writer.Write("fmt "u8);
        writer.Write(extensible ? 40 : 16);
        writer.Write((ushort)(extensible ? 0xFFFE : encoding));
        writer.Write((ushort)channels);
        writer.Write(rate);
        writer.Write(rate * channels * bits / 8);
        writer.Write((ushort)(channels * bits / 8));
        writer.Write((ushort)bits);
        if (extensible)
        {
            writer.Write((ushort)22);
            writer.Write((ushort)bits);
            writer.Write(0);
            writer.Write((ushort)encoding);
            writer.Write(new byte[14]);
        }
        writer.Write("data"u8);
        writer.Write(data.Length);
        writer.Write(data);
        return stream.ToArray();
    }

    private Sound Decode(byte[] wav, MediaFormat? format = null) =>
        (Sound)new WavMedia().Decode(folder.Write("a.wav", wav), "audio", format ?? Surroundings.Format, default);

    private static double Loudness(float[] samples) => Math.Sqrt(samples.Skip(100).SkipLast(100).Average(value => (double)value * value));

    [Theory]
    [InlineData(1, 8, 1, false)]
    [InlineData(1, 16, 2, false)]
    [InlineData(1, 24, 1, false)]
    [InlineData(1, 32, 3, false)]
    [InlineData(3, 32, 1, false)]
    [InlineData(3, 64, 2, false)]
    [InlineData(1, 16, 2, true)]
    public void Sound_OfEachEncoding_IsTheSineItHolds(int encoding, int bits, int channels, bool extensible)
    {
        var sound = Decode(Sine(encoding, bits, channels, 4000, 500, 0.5, extensible));
        Assert.Equal(2000, sound.Samples.Length);
        for (var i = 0; i < sound.Samples.Length; i++) Assert.Equal(0.5 * Math.Sin(2 * Math.PI * 500 * i / 4000), sound.Samples[i], 0.01);
    }

    [Fact]
    public void Sound_OfAHigherRate_KeepsItsLowTones()
    {
        var sound = Decode(Sine(1, 16, 1, 44100, 500, 1));
        Assert.Equal((4000, 4000), (sound.Rate, sound.Samples.Length));
        for (var i = 100; i < 3900; i++) Assert.Equal(0.5 * Math.Sin(2 * Math.PI * 500 * i / 4000), sound.Samples[i], 0.01);
    }

    [Fact]
    public void Sound_OfAHigherRate_LosesWhatTheLowerRateCannotCarry() =>
        Assert.InRange(Loudness(Decode(Sine(1, 16, 1, 44100, 3000, 1)).Samples), 0, 0.002);

    [Fact]
    public void Sound_OfALowerRate_IsInterpolated()
    {
        var sound = Decode(Sine(1, 16, 1, 2000, 300, 1));
        for (var i = 100; i < 3900; i++) Assert.Equal(0.5 * Math.Sin(2 * Math.PI * 300 * i / 4000), sound.Samples[i], 0.01);
    }

    [Fact]
    public void LongSound_IsCutToTheWantedLength() => Assert.Equal(2000, Decode(Sine(1, 16, 1, 8000, 300, 3), new MediaFormat(32, 4000, 0.5)).Samples.Length);

    [Fact]
    public void EmptyFile_IsRefused() => Assert.Contains("the file is empty", Assert.Throws<BadSampleException>(() => Decode([])).Message);

    [Fact]
    public void TruncatedFile_IsRefused()
    {
        var whole = Sine(1, 16, 1, 4000, 500, 0.5);
        Assert.Contains("truncated", Assert.Throws<BadSampleException>(() => Decode(whole[..^100])).Message);
        Assert.Contains("no chunk 'data'", Assert.Throws<BadSampleException>(() => Decode(whole[..50])).Message);
    }

    [Fact]
    public void CompressedSound_IsRefusedByItsEncoding() => Assert.Contains("encoding 85", Assert.Throws<BadSampleException>(() => Decode(Sine(85, 16, 1, 4000, 500, 0.1))).Message);

    [Fact]
    public void MissingFile_IsRefused() =>
        Assert.Contains("cannot be read", Assert.Throws<BadSampleException>(() => new WavMedia().Decode(Path.Combine(folder.Path, "no.wav"), "audio", Surroundings.Format, default)).Message);

    [Fact]
    public void DamagedHeaders_AreRefusedOrRead_ButNeverCrash()
    {
        var whole = Sine(1, 16, 1, 4000, 500, 0.02);
        Gen.Select(Gen.Int[0, 63], Gen.Byte, Gen.Int[0, 63], Gen.Byte).Sample((at, value, at2, value2) =>
        {
            var damaged = whole.ToArray();
            (damaged[at], damaged[at2]) = (value, value2);
            try
            {
                var (_, samples) = new WavReader("a.wav", new MemoryStream(damaged)).Read(1);
                Assert.InRange(samples.Length, 1, damaged.Length);
            }
            catch (BadSampleException)
            {
                // refused with a reason
            }
        });
    }
}
