using System;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;

/// <summary>Marks the unused version need GLIBCXX_3.4.32 of TorchSharp's native library as weak. See the targets file beside it.</summary>
public sealed class WeakenGlibcxx : Microsoft.Build.Utilities.Task
{
    private const string Library = "libLibTorchSharp.so";
    private const string Version = "GLIBCXX_3.4.32";

    private const uint VersionNeedSection = 0x6ffffffe; // SHT_GNU_verneed
    private const byte Weak = 2;                        // VER_FLG_WEAK

    [Required]
    public string Folder { get; set; } = "";

    public override bool Execute()
    {
        if (!Directory.Exists(Folder) || SystemHas(Version)) return true;
        foreach (var path in Directory.GetFiles(Folder, Library, SearchOption.AllDirectories))
        {
            var image = File.ReadAllBytes(path);
            if (!MarkWeak(image)) continue;
            var replacement = path + ".weak";
            File.WriteAllBytes(replacement, image);
            File.Delete(path);
            File.Move(replacement, path);
            Log.LogMessage(MessageImportance.Normal, Version + " made optional in " + path);
        }
        return true;
    }

    private static bool SystemHas(string version)
    {
        var needle = Encoding.ASCII.GetBytes(version + "\0");
        var folders = new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib64" };
        var library = folders.Select(folder => Path.Combine(folder, "libstdc++.so.6")).FirstOrDefault(File.Exists);
        return library != null && IndexOf(File.ReadAllBytes(library), needle) >= 0;
    }

    private static int IndexOf(byte[] bytes, byte[] needle)
    {
        for (var i = Array.IndexOf(bytes, needle[0]); i >= 0 && i <= bytes.Length - needle.Length; i = Array.IndexOf(bytes, needle[0], i + 1))
            if (needle.Select((value, k) => bytes[i + k] == value).All(equal => equal)) return i;
        return -1;
    }

    /// <summary>Walks the version-need table of a 64-bit little-endian ELF image; returns whether a flag changed.</summary>
    public static bool MarkWeak(byte[] elf)
    {
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[4] != 2 || elf[5] != 1) return false;
        var sections = BitConverter.ToInt64(elf, 0x28);
        var sectionSize = BitConverter.ToUInt16(elf, 0x3A);
        var sectionCount = BitConverter.ToUInt16(elf, 0x3C);
        var changed = false;
        for (var i = 0; i < sectionCount; i++)
        {
            var section = (int)(sections + (long)i * sectionSize);
            if (BitConverter.ToUInt32(elf, section + 4) != VersionNeedSection) continue;
            var names = BitConverter.ToInt64(elf, (int)(sections + (long)BitConverter.ToInt32(elf, section + 0x28) * sectionSize) + 0x18);
            var need = BitConverter.ToInt64(elf, section + 0x18);
            for (var n = BitConverter.ToInt32(elf, section + 0x2C); n > 0; n--)
            {
                var entry = need + BitConverter.ToUInt32(elf, (int)need + 8);
                for (var k = BitConverter.ToUInt16(elf, (int)need + 2); k > 0; k--)
                {
                    changed |= MarkWeak(elf, (int)entry, names);
                    entry += BitConverter.ToUInt32(elf, (int)entry + 12);
                }
                need += BitConverter.ToUInt32(elf, (int)need + 12);
            }
        }
        return changed;
    }

    private static bool MarkWeak(byte[] elf, int entry, long names)
    {
        var start = (int)(names + BitConverter.ToUInt32(elf, entry + 8));
        var length = Array.IndexOf(elf, (byte)0, start) - start;
        if (Encoding.ASCII.GetString(elf, start, length) != Version || (elf[entry + 4] & Weak) != 0) return false;
        elf[entry + 4] |= Weak;
        return true;
    }
}
