using System.Security.Cryptography;

namespace PluginHost.Catalog.Install;

/// <summary>An installed package as the lock file names it.</summary>
public sealed record LockedPackage
{
    /// <summary>The NuGet package id.</summary>
    public required string Id { get; init; }

    /// <summary>The normalised version.</summary>
    public required string Version { get; init; }

    /// <summary>Name of the feed that it came from, or its folder when that was given on the command line.</summary>
    public required string Source { get; init; }

    /// <summary>SHA-512 of the package file, base64.</summary>
    public required string Sha512 { get; init; }

    /// <summary>File name of the assembly that holds the plugins.</summary>
    public required string Assembly { get; init; }

    /// <summary>Range of PluginHost.Sdk versions that it works with.</summary>
    public required string Sdk { get; init; }

    /// <summary>Other plugin packages that it needs: id and version range.</summary>
    public IReadOnlyDictionary<string, string> Dependencies { get; init; } = new Dictionary<string, string>();

    /// <summary>Path in the plugin folder, with slashes, and SHA-512 in base64 of every file.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }

    /// <summary>What a rollback returns to, or null. It has no previous one itself.</summary>
    public LockedPackage? Previous { get; init; }

    public override string ToString() => $"{Id} {Version}";

    /// <summary>Whether it is the package of that id, in either case.</summary>
    public bool Is(string id) => Id.Equals(id, StringComparison.OrdinalIgnoreCase);

    /// <summary>Compares a folder with the lock: every file, none missing, none too many.</summary>
    /// <returns>A line for each difference; none when all is as it was installed.</returns>
    public IReadOnlyList<string> Differences(string folder)
    {
        if (!Directory.Exists(folder)) return [$"{this} is in the lock file, but its folder {folder} is gone"];
        var differences = new List<string>();
        var present = Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Where(path => !IsFolder(path))
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/')).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, hash) in Files)
        {
            if (!present.Remove(name)) differences.Add($"{name} of {this} is missing");
            else if (Hash(Path.Combine(folder, name)) != hash) differences.Add($"{name} of {this} is not the file that was installed: its SHA-512 differs from the lock file's");
        }
        differences.AddRange(present.Order(StringComparer.Ordinal).Select(name => $"{name} does not belong to {this}: the lock file does not name it"));
        return differences;
    }

    /// <summary>Compares a folder with the lock.</summary>
    /// <exception cref="InstallFailedException">The first difference, and what to do about it.</exception>
    public void Verify(string folder)
    {
        if (Differences(folder) is [var first, ..] all)
            throw new InstallFailedException($"{first}{(all.Count > 1 ? $", and {all.Count - 1} more" : "")}; 'pluginhost plugins install {Id}@{Version}' restores it");
    }

    private static bool IsFolder(string path) => File.GetAttributes(path) is var kind && kind.HasFlag(FileAttributes.Directory) && !kind.HasFlag(FileAttributes.ReparsePoint);

    private static string Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToBase64String(SHA512.HashData(stream));
    }
}
