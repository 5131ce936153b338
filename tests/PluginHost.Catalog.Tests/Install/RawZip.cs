using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace PluginHost.Catalog.Tests.Install;

/// <summary>Zip files that no library writes: with a content that expands to any size, and a header that lies about it.</summary>
internal static class RawZip
{
    private const int Piece = 64 << 20;

    /// <summary>Adds a file of zeros to a zip file: its entry goes in front of the others.</summary>
    /// <param name="path">The zip file.</param>
    /// <param name="name">Name of the entry.</param>
    /// <param name="size">Bytes when extracted.</param>
    /// <param name="declared">Bytes that the header promises.</param>
    public static void Prepend(string path, string name, long size, long declared)
    {
        using var rest = ZipFile.OpenRead(path);
        using var whole = new MemoryStream();
        var body = Zeros(size);
        var local = Header(0x04034b50, name, body.Length, declared, central: false);
        whole.Write(local);
        whole.Write(body);
        var directory = new MemoryStream();
        directory.Write(Header(0x02014b50, name, body.Length, declared, central: true));
        foreach (var entry in rest.Entries)
        {
            using var content = new MemoryStream();
            using (var stream = entry.Open()) stream.CopyTo(content);
            var (at, bytes) = (whole.Position, content.ToArray());
            whole.Write(Stored(0x04034b50, entry.FullName, bytes, entry.Crc32, 0, central: false));
            whole.Write(bytes);
            directory.Write(Stored(0x02014b50, entry.FullName, bytes, entry.Crc32, (uint)at, central: true));
        }
        var start = whole.Position;
        directory.WriteTo(whole);
        var end = new byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), (ushort)(rest.Entries.Count + 1));
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), (ushort)(rest.Entries.Count + 1));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), (uint)directory.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)start);
        whole.Write(end);
        rest.Dispose();
        File.WriteAllBytes(path, whole.ToArray());
    }

    // Deflated zeros, made of equal pieces that end on a byte, and an empty last block.
    private static byte[] Zeros(long size)
    {
        using var piece = new MemoryStream();
        using (var deflate = new DeflateStream(piece, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(new byte[Piece]);
            deflate.Flush();
            var one = piece.ToArray();
            return [.. Enumerable.Repeat(one, (int)(size / Piece)).SelectMany(bytes => bytes), 3, 0];
        }
    }

    private static byte[] Header(uint mark, string name, int packed, long declared, bool central)
    {
        var wide = declared > uint.MaxValue;
        var extra = wide ? new byte[central ? 12 : 20] : [];
        if (wide)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(extra, 1);
            BinaryPrimitives.WriteUInt16LittleEndian(extra.AsSpan(2), (ushort)(extra.Length - 4));
            BinaryPrimitives.WriteInt64LittleEndian(extra.AsSpan(4), declared);
            if (!central) BinaryPrimitives.WriteInt64LittleEndian(extra.AsSpan(12), packed);
        }
        return Entry(mark, name, 8, 0, wide && !central ? uint.MaxValue : (uint)packed, wide ? uint.MaxValue : (uint)declared, 0, extra, central);
    }

    private static byte[] Stored(uint mark, string name, byte[] content, uint checksum, uint at, bool central) =>
        Entry(mark, name, 0, checksum, (uint)content.Length, (uint)content.Length, at, [], central);

    private static byte[] Entry(uint mark, string name, ushort method, uint checksum, uint packed, uint size, uint at, byte[] extra, bool central)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(mark);
        if (central) writer.Write((ushort)45);
        writer.Write((ushort)45);
        writer.Write((ushort)0);
        writer.Write(method);
        writer.Write(0u);
        writer.Write(checksum);
        writer.Write(packed);
        writer.Write(size);
        var text = Encoding.UTF8.GetBytes(name);
        writer.Write((ushort)text.Length);
        writer.Write((ushort)extra.Length);
        if (central)
        {
            writer.Write(new byte[10]);
            writer.Write(at);
        }
        writer.Write(text);
        writer.Write(extra);
        writer.Flush();
        return stream.ToArray();
    }
}
