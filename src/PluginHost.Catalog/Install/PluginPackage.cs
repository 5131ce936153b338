using System.IO.Compression;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Xml;
using NuGet.Frameworks;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Versioning;
using PluginHost.Config;

namespace PluginHost.Catalog.Install;

/// <summary>A downloaded plugin package. Opening it checks all that can be checked before a byte of its content is written.</summary>
internal sealed class PluginPackage : IDisposable
{
    /// <summary>The package type that says: this is a plugin.</summary>
    public const string PackageType = "PluginHostPlugin";

    /// <summary>The contract; the host supplies it.</summary>
    public const string SdkId = "PluginHost.Sdk";

    private const string ContentFolder = "plugin/";
    private static readonly NuGetFramework Framework = NuGetFramework.Parse("net10.0");

    private readonly ZipArchive archive;
    private readonly long limit;
    private readonly Dictionary<string, ZipArchiveEntry> content = [];

    private PluginPackage(string path, string name, PackageFeed feed, PackageLimits limits)
    {
        Path = path;
        Source = feed.Name;
        Name = name;
        using var stream = File.OpenRead(path);
        Sha512 = Convert.ToBase64String(SHA512.HashData(stream));
        limit = limits.ContentOf(stream.Length);
        archive = OpenArchive();
        try
        {
            CheckEntries(limits);
            var nuspec = ReadNuspec();
            (Id, Version) = (nuspec.GetId(), nuspec.GetVersion());
            if (!PackageIdValidator.IsValidPackageId(Id)) throw Refused("its nuspec has an id that no package may have");
            if (nuspec.GetPackageTypes().All(type => type.Name != PackageType))
                throw new NoPluginPackageException($"the package {Name} is refused: it is no plugin package, since its package type is not {PackageType}");
            var dependencies = NuGetFrameworkUtility.GetNearest(nuspec.GetDependencyGroups(), Framework)?.Packages.ToList() ?? [];
            Sdk = dependencies.FirstOrDefault(IsSdk)?.VersionRange
                ?? throw Refused($"its nuspec names no dependency on {SdkId}, so nobody knows with which hosts it works");
            Dependencies = [.. dependencies.Where(dependency => !IsSdk(dependency))];
            Assembly = MainAssembly();
        }
        catch (Exception error) when (error is InvalidDataException or PackagingException or XmlException or FormatException or ArgumentException)
        {
            archive.Dispose();
            throw Refused($"it cannot be read: {error.Message.TrimEnd('.')}");
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public string Id { get; } = "";

    public NuGetVersion Version { get; } = new(0, 0, 0);

    /// <summary>Name of the feed.</summary>
    public string Source { get; }

    /// <summary>For messages: the id and version that it was asked for, and the feed.</summary>
    public string Name { get; }

    public string Sha512 { get; }

    public VersionRange Sdk { get; } = VersionRange.All;

    /// <summary>Other packages that it needs; the contract is not among them.</summary>
    public IReadOnlyList<PackageDependency> Dependencies { get; } = [];

    /// <summary>File name of the assembly that holds the plugins.</summary>
    public string Assembly { get; } = "";

    /// <summary>Opens a package file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">For messages: id, version and feed.</param>
    /// <param name="feed">Where it came from.</param>
    /// <param name="limits">What it may cost.</param>
    /// <exception cref="InstallFailedException">It is damaged, hostile, or no plugin package.</exception>
    public static PluginPackage Open(string path, string name, PackageFeed feed, PackageLimits limits) => new(path, name, feed, limits);

    /// <summary>Extracts the plugin folder, and flushes it to the disk.</summary>
    /// <param name="folder">A folder that does not exist yet.</param>
    /// <param name="create">Opens a new file for writing.</param>
    /// <param name="progress">Gets the part that is done, 0 to 1.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    /// <returns>SHA-512 in base64 of every file, by its path with slashes.</returns>
    /// <exception cref="InstallFailedException">The content is damaged or expands too far.</exception>
    public IReadOnlyDictionary<string, string> ExtractTo(string folder, Func<string, Stream> create, Action<double> progress, CancellationToken cancellation)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal) { folder };
        var total = Math.Max(1, content.Values.Sum(entry => entry.Length));
        long done = 0;
        foreach (var (name, entry) in content)
        {
            var target = System.IO.Path.Combine(folder, name);
            for (var parent = System.IO.Path.GetDirectoryName(target)!; folders.Add(parent); parent = System.IO.Path.GetDirectoryName(parent)!) { }
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            hashes[name] = Extract(entry, target, create, ref done, bytes => progress((double)bytes / total), cancellation);
        }
        Directory.CreateDirectory(folder);
        foreach (var item in folders) AtomicFile.FlushFolder(item);
        return hashes;
    }

    public void Dispose() => archive.Dispose();

    private static bool IsSdk(PackageDependency dependency) => dependency.Id.Equals(SdkId, StringComparison.OrdinalIgnoreCase);

    private InstallFailedException Refused(string why) => new($"the package {Name} is refused: {why}");

    private InstallFailedException Bomb() => Refused(
        $"its content is larger than {limit >> 20} MB, far more than a package of its size holds; it may be a decompression bomb");

    private ZipArchive OpenArchive()
    {
        var stream = File.OpenRead(Path);
        try
        {
            return new ZipArchive(stream, ZipArchiveMode.Read);
        }
        catch (InvalidDataException)
        {
            stream.Dispose();
            throw Refused("it is truncated, or no zip file at all");
        }
    }

    private void CheckEntries(PackageLimits limits)
    {
        if (archive.Entries.Count > limits.Entries) throw Refused($"it has {archive.Entries.Count} files, more than {limits.Entries}");
        var files = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var folders = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        long total = 0;
        foreach (var entry in archive.Entries)
        {
            // A package holds its names escaped: what counts is the name on the disk.
            var name = Uri.UnescapeDataString(entry.FullName);
            var folder = name.EndsWith('/');
            if (PackagePath.Problem(folder ? name[..^1] : name) is { } problem) throw Refused($"the name of its file '{Shown(name)}' {problem}");
            if (!IsPlain(entry)) throw Refused($"its file '{Shown(name)}' is a symbolic link or a special file");
            if (!folder && !files.Add(name)) throw Refused($"it holds '{Shown(name)}' twice, or in upper and lower case");
            for (var end = name.LastIndexOf('/'); end > 0; end = name.LastIndexOf('/', end - 1)) folders.Add(name[..end]);
            if ((total += entry.Length) > limit || entry.Length < 0) throw Bomb();
            if (!folder && name.StartsWith(ContentFolder, StringComparison.Ordinal)) content[name[ContentFolder.Length..]] = entry;
        }
        if (files.FirstOrDefault(folders.Contains) is { } both) throw Refused($"'{Shown(both)}' in it is both a file and a folder");
    }

    // The upper half of the attributes is the Unix mode when a Unix tool wrote the zip file: 0 or a regular file or a folder.
    private static bool IsPlain(ZipArchiveEntry entry) => ((entry.ExternalAttributes >> 28) & 0xF) is 0 or 8 or 4;

    private NuspecReader ReadNuspec()
    {
        var found = archive.Entries.Where(entry => !entry.FullName.Contains('/', StringComparison.Ordinal) && entry.FullName.EndsWith(".nuspec", StringComparison.OrdinalIgnoreCase)).ToList();
        if (found.Count != 1) throw Refused($"it has {found.Count} nuspec files, and a package has one");
        using var source = new LimitedStream(found[0].Open(), PackageLimits.NuspecBytes, () => Refused("its nuspec is larger than 1 MB"));
        using var nuspec = new MemoryStream();
        source.CopyTo(nuspec);
        nuspec.Position = 0;
        return new NuspecReader(nuspec);
    }

    private string MainAssembly()
    {
        if (content.Count == 0) throw Refused($"it has no files under {ContentFolder}, the folder of the plugin's own files");
        var assemblies = content.Keys.Where(name => !name.Contains('/', StringComparison.Ordinal) && name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)).ToList();
        var main = assemblies.FirstOrDefault(name => name.Equals(Id + ".dll", StringComparison.OrdinalIgnoreCase))
            ?? assemblies.Where(name => content.ContainsKey(System.IO.Path.ChangeExtension(name, ".deps.json"))).Take(2).ToList() switch { [var only] => only, _ => null };
        return main ?? throw Refused($"it has no {ContentFolder}{Id}.dll, and no other assembly that alone has a .deps.json beside it");
    }

    private string Extract(ZipArchiveEntry entry, string target, Func<string, Stream> create, ref long done, Action<long> progress, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        var check = new Crc32();
        try
        {
            using var source = entry.Open();
            using var file = create(target);
            var buffer = new byte[1 << 16];
            for (int read; (read = source.Read(buffer)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                if ((done += read) > limit) throw Bomb();
                file.Write(buffer, 0, read);
                hash.AppendData(buffer, 0, read);
                check.Append(buffer.AsSpan(0, read));
                progress(done);
            }
            file.Flush();
            if (file is FileStream disk) disk.Flush(flushToDisk: true);
        }
        catch (InvalidDataException)
        {
            throw Refused($"its file '{Shown(entry.FullName)}' is damaged");
        }
        if (check.GetCurrentHashAsUInt32() != entry.Crc32) throw Refused($"its file '{Shown(entry.FullName)}' is damaged: the checksum differs");
        return Convert.ToBase64String(hash.GetHashAndReset());
    }

    // A hostile name must not paint the terminal.
    private static string Shown(string name) => new([.. name.Take(120).Select(c => char.IsControl(c) ? '?' : c)]);
}
