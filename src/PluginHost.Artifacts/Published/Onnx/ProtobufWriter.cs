using System.Buffers.Binary;
using System.Text;

namespace PluginHost.Artifacts.Published.Onnx;

/// <summary>The wire format of Protocol Buffers, as far as ONNX needs it: numbers, texts, bytes and messages in messages.</summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0, Delimited = 2, Fixed32 = 5;

    private readonly MemoryStream stream = new();

    public ReadOnlyMemory<byte> Content => stream.GetBuffer().AsMemory(0, checked((int)stream.Length));

    public void Write(int field, long value)
    {
        Number((ulong)(field << 3 | Varint));
        Number((ulong)value);
    }

    public void Write(int field, float value)
    {
        Number((ulong)(field << 3 | Fixed32));
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public void Write(int field, string text) => Write(field, Encoding.UTF8.GetBytes(text));

    public void Write(int field, ReadOnlySpan<byte> bytes)
    {
        Number((ulong)(field << 3 | Delimited));
        Number((ulong)bytes.Length);
        stream.Write(bytes);
    }

    public void Write(int field, Action<ProtobufWriter> message)
    {
        var inner = new ProtobufWriter();
        message(inner);
        Write(field, inner.Content.Span);
    }

    private void Number(ulong value)
    {
        for (; value >= 0x80; value >>= 7) stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }
}
