using System.Text;
using PluginHost.Config;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>How GGUF stores a tensor's numbers. The values are the format's.</summary>
public enum GgufType
{
    F32 = 0,
    F16 = 1,

    /// <summary>Blocks of 32: a scale in fp16 and 32 signed bytes.</summary>
    Q8_0 = 8,
}

/// <summary>
/// The GGUF format, version 3: key/value pairs, the list of tensors, then their data at multiples of 32. Source: the format description of ggml.
/// </summary>
public sealed class GgufFile
{
    private const int Alignment = 32;
    private const int BlockSize = 32;

    // The format's numbers of value types.
    private const uint Uint32 = 4, Int32 = 5, Float32 = 6, Bool = 7, Text = 8, Array = 9;

    private readonly List<(string Key, Action<BinaryWriter> Write)> values = [];
    private readonly List<(string Name, GgufType Type, Tensor Value)> tensors = [];

    public void Add(string key, long value) => values.Add((key, writer => { writer.Write(Uint32); writer.Write(checked((uint)value)); }));

    public void Add(string key, float value) => values.Add((key, writer => { writer.Write(Float32); writer.Write(value); }));

    public void Add(string key, bool value) => values.Add((key, writer => { writer.Write(Bool); writer.Write(value); }));

    public void Add(string key, string value) => values.Add((key, writer => { writer.Write(Text); WriteText(writer, value); }));

    public void Add(string key, IReadOnlyList<string> items) => values.Add((key, writer => WriteArray(writer, Text, items, WriteText)));

    public void Add(string key, IReadOnlyList<int> items) => values.Add((key, writer => WriteArray(writer, Int32, items, (to, item) => to.Write(item))));

    public void Add(string key, IReadOnlyList<float> items) => values.Add((key, writer => WriteArray(writer, Float32, items, (to, item) => to.Write(item))));

    /// <summary>Adds a tensor. Vectors stay in fp32, and so does, in fp16, what cannot be cut into blocks.</summary>
    public void Add(string name, Tensor value, GgufType type)
    {
        if (value.dim() < 2) type = GgufType.F32;
        else if (type == GgufType.Q8_0 && value.size(-1) % BlockSize != 0) type = GgufType.F16;
        tensors.Add((name, type, value));
    }

    /// <summary>Writes the file; it is whole or not there.</summary>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)values.Count + 1);
        foreach (var (key, write) in values.Append(("general.alignment", to => { to.Write(Uint32); to.Write((uint)Alignment); }
        )))
        {
            WriteText(writer, key);
            write(writer);
        }
        ulong offset = 0;
        foreach (var (name, type, value) in tensors)
        {
            WriteText(writer, name);
            writer.Write((uint)value.dim());
            foreach (var size in value.shape.Reverse()) writer.Write((ulong)size);  // the innermost first
            writer.Write((uint)type);
            writer.Write(offset);
            offset += (ulong)((Bytes(type, value.numel()) + Alignment - 1) / Alignment * Alignment);
        }
        Pad(writer);
        foreach (var (_, type, value) in tensors)
        {
            writer.Flush();
            WriteData(stream, type, value);
            Pad(writer);
        }
    });

    private static long Bytes(GgufType type, long count) => type switch { GgufType.F32 => 4 * count, GgufType.F16 => 2 * count, _ => count / BlockSize * (BlockSize + 2) };

    private static void WriteData(Stream stream, GgufType type, Tensor value)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var rows = value.detach().to(CPU).to(ScalarType.Float32).contiguous();
        if (type == GgufType.F32) stream.Write(rows.bytes);
        else if (type == GgufType.F16) stream.Write(rows.to(ScalarType.Float16).bytes);
        else WriteBlocks(stream, rows);
    }

    // Each block's scale is its largest magnitude by 127.
    private static void WriteBlocks(Stream stream, Tensor rows)
    {
        var numbers = rows.data<float>().ToArray();
        var block = new byte[BlockSize + 2];
        for (var start = 0; start < numbers.Length; start += BlockSize)
        {
            var part = numbers.AsSpan(start, BlockSize);
            var largest = 0f;
            foreach (var number in part) largest = Math.Max(largest, Math.Abs(number));
            var scale = largest / 127;
            BitConverter.TryWriteBytes(block, (Half)scale);
            for (var i = 0; i < BlockSize; i++) block[i + 2] = (byte)(sbyte)(scale == 0 ? 0 : MathF.Round(part[i] / scale, MidpointRounding.AwayFromZero));
            stream.Write(block);
        }
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void WriteArray<T>(BinaryWriter writer, uint type, IReadOnlyList<T> items, Action<BinaryWriter, T> write)
    {
        writer.Write(Array);
        writer.Write(type);
        writer.Write((ulong)items.Count);
        foreach (var item in items) write(writer, item);
    }

    private static void Pad(BinaryWriter writer)
    {
        writer.Flush();
        while (writer.BaseStream.Position % Alignment != 0) writer.Write((byte)0);
        writer.Flush();
    }
}
