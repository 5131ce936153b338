using PluginHost.Config;

namespace PluginHost.Catalog.Install;

/// <summary>An active package and the folder that holds its files.</summary>
public sealed record InstalledPackage(LockedPackage Package, string Folder);

/// <summary>
/// The folder of installed packages: <c>id/version/</c> holds a package's files, several versions side by side, and
/// <c>plugins.lock.json</c> says which are active. The lock file lies in the store because the two are one thing: they are
/// guarded, copied and put back together, whichever host file names them.
/// </summary>
public sealed class PluginStore(string folder)
{
    private const string LockName = "plugins.lock.json";
    private const string GuardName = ".guard";
    private const string StagingName = ".staging";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>The lock file.</summary>
    public string LockPath => Path.Combine(Folder, LockName);

    /// <summary>Where packages lie until they are whole.</summary>
    internal string Staging => Path.Combine(Folder, StagingName);

    /// <summary>Where the files of a package are.</summary>
    public string FolderOf(LockedPackage package) => FolderOf(package.Id, package.Version);

    /// <summary>The lock file's content.</summary>
    /// <exception cref="ConfigException">It is damaged.</exception>
    public PluginLock ReadLock() => PluginLock.Read(LockPath);

    /// <summary>The active packages.</summary>
    /// <exception cref="ConfigException">The lock file is damaged.</exception>
    public IReadOnlyList<InstalledPackage> Active() => [.. ReadLock().Packages.Select(package => new InstalledPackage(package, FolderOf(package)))];

    internal string FolderOf(string id, string version) => Path.Combine(Folder, id.ToLowerInvariant(), version.ToLowerInvariant());

    /// <summary>
    /// Keeps every other process from changing the store, until it is disposed. The system lets go of it when the process dies.
    /// </summary>
    /// <exception cref="InstallFailedException">Another process has held it for too long.</exception>
    internal async Task<IDisposable> GuardAsync(TimeSpan patience, Action waiting, CancellationToken cancellation)
    {
        var path = Path.Combine(Folder, GuardName);
        // The store is cleaned of what the lock does not name: it must not be a folder of somebody's own.
        if (Directory.Exists(Folder) && !File.Exists(path) && !File.Exists(LockPath) && Directory.EnumerateFileSystemEntries(Folder).Any())
            throw new InstallFailedException($"the store {Folder} holds other things than plugin packages; name an empty or a new folder as install.store");
        for (var waited = TimeSpan.Zero; ; waited += Poll)
        {
            try
            {
                Directory.CreateDirectory(Folder);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException error)
            {
                throw new InstallFailedException($"the store {Folder} cannot be written: {error.Message}");
            }
            catch (IOException error) when (!File.Exists(path))
            {
                throw new InstallFailedException($"the store {Folder} cannot be made: {error.Message}");
            }
            catch (IOException) when (waited < patience)
            {
                if (waited == TimeSpan.Zero) waiting();
                await Task.Delay(Poll, cancellation).ConfigureAwait(false);
            }
            catch (IOException)
            {
                throw new InstallFailedException($"another process has been changing the store {Folder} for {patience.TotalSeconds:0} s; try again when it is done");
            }
        }
    }

    /// <summary>Deletes what no entry of the lock names: what a killed install left, and versions older than the previous one.</summary>
    internal void Clean(PluginLock locked)
    {
        var kept = locked.Packages.SelectMany(package => new[] { package, package.Previous }).OfType<LockedPackage>().Select(FolderOf).ToHashSet(StringComparer.Ordinal);
        if (Directory.Exists(Staging)) Directory.Delete(Staging, recursive: true);
        foreach (var package in Directory.EnumerateDirectories(Folder))
        {
            foreach (var version in Directory.EnumerateDirectories(package).Where(version => !kept.Contains(version))) Directory.Delete(version, recursive: true);
            if (!Directory.EnumerateFileSystemEntries(package).Any()) Directory.Delete(package);
        }
    }

    /// <summary>Moves a whole staged folder to its place; whatever lay there was not what the lock names.</summary>
    internal void Place(string staged, LockedPackage package)
    {
        var target = FolderOf(package);
        var parent = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(parent);
        if (Directory.Exists(target)) Directory.Move(target, staged + ".replaced");
        Directory.Move(staged, target);
        AtomicFile.FlushFolder(parent);
        AtomicFile.FlushFolder(Folder);
    }
}
