using System.Text;

namespace PluginHost.Architecture.Tests;

public class WeakenGlibcxxTests
{
    private const ushort Weak = 2;

    [Fact]
    public void MarkWeak_UnusedVersion_FlagsThatEntryAlone()
    {
        var elf = Elf("GLIBCXX_3.4.11", "GLIBCXX_3.4.32", "CXXABI_1.3");

        Assert.True(WeakenGlibcxx.MarkWeak(elf));

        Assert.Equal([0, Weak, 0], Flags(elf, 3));
    }

    [Fact]
    public void MarkWeak_AlreadyDone_ChangesNothing()
    {
        var elf = Elf("GLIBCXX_3.4.32");
        WeakenGlibcxx.MarkWeak(elf);
        var once = (byte[])elf.Clone();

        Assert.False(WeakenGlibcxx.MarkWeak(elf));
        Assert.Equal(once, elf);
    }

    [Fact]
    public void MarkWeak_OtherVersionsOnly_ChangesNothing()
    {
        var elf = Elf("GLIBCXX_3.4.30", "GLIBC_2.34");
        Assert.False(WeakenGlibcxx.MarkWeak(elf));
        Assert.Equal([0, 0], Flags(elf, 2));
    }

    [Fact]
    public void MarkWeak_NoElf_IsLeftAlone() => Assert.False(WeakenGlibcxx.MarkWeak(Encoding.ASCII.GetBytes(new string('x', 200))));

    private const int NeedAt = 0x40 + 2 * 0x40;
    private const int EntryBytes = 16;

    /// <summary>A 64-bit image of two sections: the version needs of one library, and the names they refer to.</summary>
    private static byte[] Elf(params string[] versions)
    {
        var names = new MemoryStream();
        names.WriteByte(0);
        var offsets = versions.Select(version =>
        {
            var offset = (int)names.Position;
            names.Write(Encoding.ASCII.GetBytes(version + "\0"));
            return offset;
        }).ToArray();
        var namesAt = NeedAt + EntryBytes * (1 + versions.Length);
        var elf = new byte[namesAt + names.Length];
        void Put(int at, long value, int bytes) => BitConverter.GetBytes(value).AsSpan(0, bytes).CopyTo(elf.AsSpan(at));
        "\u007fELF"u8.CopyTo(elf);
        (elf[4], elf[5]) = (2, 1);
        Put(0x28, 0x40, 8);               // section headers
        Put(0x3A, 0x40, 2);               // their size
        Put(0x3C, 2, 2);                  // their number
        Put(0x40 + 4, 0x6ffffffe, 4);     // version needs
        Put(0x40 + 0x18, NeedAt, 8);
        Put(0x40 + 0x28, 1, 4);           // whose names are in section 1
        Put(0x40 + 0x2C, 1, 4);           // of one library
        Put(0x80 + 4, 3, 4);              // names
        Put(0x80 + 0x18, namesAt, 8);
        Put(NeedAt + 2, versions.Length, 2);
        Put(NeedAt + 8, EntryBytes, 4);
        for (var i = 0; i < versions.Length; i++)
        {
            Put(NeedAt + EntryBytes * (1 + i) + 8, offsets[i], 4);
            Put(NeedAt + EntryBytes * (1 + i) + 12, EntryBytes, 4);
        }
        names.ToArray().CopyTo(elf, namesAt);
        return elf;
    }

    private static ushort[] Flags(byte[] elf, int count) =>
        [.. Enumerable.Range(0, count).Select(i => BitConverter.ToUInt16(elf, NeedAt + EntryBytes * (1 + i) + 4))];
}
