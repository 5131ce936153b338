using System.Security.Cryptography;
using System.Text;

namespace PluginHost.Catalog.Inspection;

/// <summary>The identity of a plugin folder's content.</summary>
internal static class FolderHash
{
    /// <summary>SHA-256 in hex over relative path, length and content of every file, in ordinal order of the paths.</summary>
    public static string Of(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => (Path: file, Name: Path.GetRelativePath(folder, file).Replace('\\', '/')))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
        var buffer = new byte[1 << 16];
        foreach (var (path, name) in files)
        {
            using var stream = File.OpenRead(path);
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{stream.Length}\0"));
            for (int read; (read = stream.Read(buffer)) > 0;) hash.AppendData(buffer, 0, read);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
