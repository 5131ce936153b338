using System.Buffers.Binary;
using PluginHost.Sdk;

namespace Media.Wav;

/// <summary>Reads one WAV file. Sizes in the header are believed only as far as the file goes.</summary>
internal sealed class WavReader(string path, Stream stream)
{
    private const int Pcm = 1, Float = 3, Extensible = 0xFFFE;

    private readonly record struct Layout(int Encoding, int Channels, int Rate, int Bits)
    {
        public int BytesPerSample => Bits / 8;

        public int BytesPerFrame => BytesPerSample * Channels;
    }

    /// <summary>The first seconds as mono samples in -1..1.</summary>
    public (int Rate, float[] Samples) Read(double seconds)
    {
        if (stream.Length == 0) throw Bad("the file is empty");
        Span<byte> riff = stackalloc byte[12];
        if (stream.ReadAtLeast(riff, riff.Length, throwOnEndOfStream: false) < riff.Length || !riff[..4].SequenceEqual("RIFF"u8) || !riff[8..].SequenceEqual("WAVE"u8))
            throw Bad("no WAV file: it does not begin with RIFF and WAVE");
        Layout? layout = null;
        Span<byte> head = stackalloc byte[8];
        while (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length)
        {
            long size = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (head[..4].SequenceEqual("data"u8))
                return Data(layout ?? throw Bad("the chunk 'data' comes before the chunk 'fmt '"), size, seconds);
            var next = stream.Position + size + (size & 1);
            if (head[..4].SequenceEqual("fmt "u8)) layout = Format(size);
            if (next > stream.Length) break;
            stream.Position = next;
        }
        throw Bad("the file is truncated: it has no chunk 'data'");
    }

    private Layout Format(long size)
    {
        Span<byte> chunk = stackalloc byte[40];
        chunk = chunk[..(int)Math.Min(size, chunk.Length)];
        if (size < 16 || stream.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false) < chunk.Length) throw Bad("the chunk 'fmt ' is truncated");
        int encoding = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        if (encoding == Extensible && chunk.Length >= 26) encoding = BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]);
        var layout = new Layout(
            encoding,
            BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]),
            BinaryPrimitives.ReadInt32LittleEndian(chunk[4..]),
            BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]));
        if (layout is not ({ Encoding: Pcm, Bits: 8 or 16 or 24 or 32 } or { Encoding: Float, Bits: 32 or 64 }))
            throw new BadSampleException($"{path}: encoding {layout.Encoding} with {layout.Bits} bits is not read; PCM of 8, 16, 24 or 32 bits and floats of 32 or 64 are") { UnknownFormat = true };
        if (layout.Channels is < 1 or > 64 || layout.Rate is < 100 or > 1_000_000)
            throw Bad($"{layout.Channels} channels at {layout.Rate} Hz make no sound");
        return layout;
    }

    private (int, float[]) Data(Layout layout, long size, double seconds)
    {
        // Streamed files state 0 or the maximum as their size: then the data goes on to the end.
        var left = stream.Length - stream.Position;
        var stated = size is 0 or uint.MaxValue ? left : size;
        if (stated > left) throw Bad($"the file is truncated: the chunk 'data' states {stated:N0} bytes and {left:N0} are there");
        var frames = Math.Min(stated / layout.BytesPerFrame, (long)Math.Ceiling(seconds * layout.Rate) + 1);
        if (frames == 0) throw Bad("it holds no samples");
        var bytes = new byte[frames * layout.BytesPerFrame];
        stream.ReadExactly(bytes);
        var samples = new float[frames];
        for (var frame = 0; frame < samples.Length; frame++)
        {
            var sum = 0f;
            for (var channel = 0; channel < layout.Channels; channel++)
                sum += Value(bytes.AsSpan(frame * layout.BytesPerFrame + channel * layout.BytesPerSample, layout.BytesPerSample), layout.Encoding);
            samples[frame] = sum / layout.Channels;
        }
        return (layout.Rate, samples);
    }

    private static float Value(ReadOnlySpan<byte> bytes, int encoding) => (encoding, bytes.Length) switch
    {
        (Float, 4) => Finite(BinaryPrimitives.ReadSingleLittleEndian(bytes)),
        (Float, _) => Finite((float)BinaryPrimitives.ReadDoubleLittleEndian(bytes)),
        (_, 1) => (bytes[0] - 128) / 128f,
        (_, 2) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32768f,
        (_, 3) => ((sbyte)bytes[2] << 16 | bytes[1] << 8 | bytes[0]) / 8388608f,
        _ => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2147483648f,
    };

    private static float Finite(float value) => float.IsFinite(value) ? Math.Clamp(value, -1, 1) : 0;

    private BadSampleException Bad(string reason) => new($"{path}: {reason}");
}
