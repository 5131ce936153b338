using NuGet.Versioning;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Install;

/// <summary>
/// Installs, updates, removes, restores and rolls back plugin packages. A change is downloaded, checked and extracted beside the store's
/// packages, inspected without running it, moved to its place, and made real by one write of the lock file: whatever fails
/// before that, a power cut included, leaves everything as it was.
/// </summary>
/// <param name="host">The host file; its plugin folders may not hold the ids of an installed package.</param>
/// <param name="progress">Told what is being done.</param>
/// <param name="limits">What a package may cost.</param>
public sealed class PluginInstaller(HostConfig host, Action<InstallStep>? progress = null, PackageLimits? limits = null)
{
    private readonly PluginStore store = new(host.Install.Store);
    private readonly Action<InstallStep> progress = progress ?? (_ => { });
    private readonly PackageLimits limits = limits ?? new PackageLimits();

    /// <summary>How long a change waits for another process that is changing the store.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Opens a new file of a package for writing; tests let it fail.</summary>
    internal Func<string, Stream> CreateFile { get; init; } = path => new FileStream(path, FileMode.CreateNew, FileAccess.Write);

    /// <summary>Installs a package with what it needs, or another version of an installed one.</summary>
    /// <param name="request">Id, or id and version or range: <c>Acme.Fusion@[1.2,2.0)</c>.</param>
    /// <param name="source">A feed of the host file, or a folder; null: the feed that has it.</param>
    /// <param name="cancellation">Stops the install and leaves everything as it was.</param>
    /// <returns>What changed; nothing when that version is active and whole.</returns>
    /// <exception cref="UserErrorException">The request is wrong.</exception>
    /// <exception cref="InstallFailedException">A package is refused, or a feed or the disk fails.</exception>
    /// <exception cref="ConfigException">The lock file is damaged.</exception>
    public Task<IReadOnlyList<PackageChange>> InstallAsync(string request, string? source, CancellationToken cancellation)
    {
        var wanted = PackageRequest.Parse(request);
        return ChangeAsync((locked, resolution) => AddAsync(locked, resolution, wanted, source, cancellation), cancellation);
    }

    /// <summary>Brings back every package that the lock file names and whose files are missing or altered.</summary>
    /// <inheritdoc cref="InstallAsync" path="/returns"/>
    /// <inheritdoc cref="InstallAsync" path="/exception"/>
    public Task<IReadOnlyList<PackageChange>> RestoreAsync(CancellationToken cancellation) => ChangeAsync(async (locked, resolution) =>
    {
        foreach (var package in locked.Packages) await RestoreAsync(package, resolution, cancellation).ConfigureAwait(false);
        return locked;
    }, cancellation);

    /// <summary>Takes the newest version that the other packages accept, from the feed that the package came from.</summary>
    /// <param name="id">Package id; null: all packages.</param>
    /// <param name="cancellation">Stops the update and leaves everything as it was.</param>
    /// <inheritdoc cref="InstallAsync" path="/returns"/>
    /// <inheritdoc cref="InstallAsync" path="/exception"/>
    public Task<IReadOnlyList<PackageChange>> UpdateAsync(string? id, CancellationToken cancellation) => ChangeAsync(async (locked, resolution) =>
    {
        foreach (var package in id is null ? locked.Packages : [Installed(locked, id)])
            locked = await AddAsync(locked, resolution, new PackageRequest(package.Id, NewerThan(package), $"from {package.Version} on"), null, cancellation).ConfigureAwait(false);
        return locked;
    }, cancellation);

    /// <summary>Removes a package with all its versions.</summary>
    /// <inheritdoc cref="InstallAsync" path="/exception"/>
    public async Task<IReadOnlyList<PackageChange>> RemoveAsync(string id, CancellationToken cancellation)
    {
        var changes = await ChangeAsync((locked, _) =>
        {
            var package = Installed(locked, id);
            var after = locked.Without(package.Id);
            if (after.Packages.FirstOrDefault(other => other.Dependencies.Keys.Any(package.Is)) is { } user)
                throw new UserErrorException($"{package} is needed by {user}; remove {user.Id} first");
            return Task.FromResult(after);
        }, cancellation).ConfigureAwait(false);
        return changes;
    }

    /// <summary>Makes the previous version active again; doing it twice returns to where one was.</summary>
    /// <param name="id">Package id; null: every package that has a previous version.</param>
    /// <param name="cancellation">Stops the rollback and leaves everything as it was.</param>
    /// <inheritdoc cref="InstallAsync" path="/returns"/>
    /// <inheritdoc cref="InstallAsync" path="/exception"/>
    public Task<IReadOnlyList<PackageChange>> RollbackAsync(string? id, CancellationToken cancellation) => ChangeAsync((locked, _) =>
    {
        var back = id is null ? locked.Packages.Where(package => package.Previous is not null).ToList() : [Installed(locked, id)];
        foreach (var package in back)
        {
            var previous = package.Previous ?? throw new UserErrorException($"{package} has no previous version to go back to");
            previous.Verify(store.FolderOf(previous));
            locked = locked.With(previous);
        }
        return Task.FromResult(locked);
    }, cancellation);

    /// <summary>Compares every installed file with the lock file.</summary>
    /// <returns>The differences of each active package; none for a whole one.</returns>
    /// <exception cref="ConfigException">The lock file is damaged.</exception>
    public IReadOnlyList<(LockedPackage Package, IReadOnlyList<string> Differences)> Verify() =>
        [.. store.Active().AsParallel().AsOrdered().Select(item => (item.Package, item.Package.Differences(item.Folder)))];

    private async Task<IReadOnlyList<PackageChange>> ChangeAsync(Func<PluginLock, PackageResolution, Task<PluginLock>> change, CancellationToken cancellation)
    {
        using var guard = await store.GuardAsync(Patience, () => progress(new InstallStep($"waiting for another process that is changing {store.Folder}")), cancellation).ConfigureAwait(false);
        var before = store.ReadLock();
        try
        {
            store.Clean(before);
            using var resolution = new PackageResolution(before, host.Install, limits, store.Staging, progress);
            var after = await change(before, resolution).ConfigureAwait(false);
            var staged = Extract(resolution, ref after, cancellation);
            Check(before, after, staged);
            foreach (var (package, folder) in staged) store.Place(folder, package);
            var changes = Changes(before, after);
            if (changes.Count > 0) after.Write(store.LockPath);
            before = after;
            return changes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InstallFailedException($"the store {store.Folder} cannot be written: {error.Message}; nothing has changed");
        }
        finally
        {
            CleanQuietly(before);
        }
    }

    private async Task<PluginLock> AddAsync(PluginLock locked, PackageResolution resolution, PackageRequest request, string? source, CancellationToken cancellation)
    {
        var active = locked.Find(request.Id);
        var (feed, version) = await resolution.ChooseAsync(request, source, cancellation).ConfigureAwait(false);
        if (active is not null && active.Version == version.ToNormalizedString()) await RestoreAsync(active, resolution, cancellation).ConfigureAwait(false);
        else await resolution.AddAsync(request, feed, version, cancellation).ConfigureAwait(false);
        return locked;
    }

    private async Task RestoreAsync(LockedPackage package, PackageResolution resolution, CancellationToken cancellation)
    {
        if (package.Differences(store.FolderOf(package)).Count == 0) return;
        using var fresh = await resolution.DownloadAsync(resolution.SourceOf(package), package.Id, NuGetVersion.Parse(package.Version), cancellation).ConfigureAwait(false);
        var folder = fresh.Path + ".content";
        fresh.ExtractTo(folder, CreateFile, part => progress(new InstallStep($"restoring {package}", part)), cancellation);
        package.Verify(folder);
        store.Place(folder, package);
        progress(new InstallStep($"restored {package} from {package.Source}"));
    }

    private List<(LockedPackage Package, string Folder)> Extract(PackageResolution resolution, ref PluginLock after, CancellationToken cancellation)
    {
        var staged = new List<(LockedPackage, string)>();
        foreach (var package in resolution.Packages)
        {
            var folder = package.Path + ".content";
            var locked = new LockedPackage
            {
                Id = package.Id,
                Version = package.Version.ToNormalizedString(),
                Source = package.Source,
                Sha512 = package.Sha512,
                Assembly = package.Assembly,
                Sdk = package.Sdk.ToNormalizedString(),
                Dependencies = package.Dependencies.ToDictionary(item => item.Id, item => item.VersionRange.ToNormalizedString(), StringComparer.OrdinalIgnoreCase),
                Files = package.ExtractTo(folder, CreateFile, part => progress(new InstallStep($"extracting {package.Id} {package.Version.ToNormalizedString()}", part)), cancellation),
            };
            staged.Add((locked, folder));
            after = after.With(locked);
        }
        return staged;
    }

    // What would be installed is looked at as the host would look at it, before anything is moved.
    private void Check(PluginLock before, PluginLock after, List<(LockedPackage Package, string Folder)> staged)
    {
        foreach (var package in after.Packages)
            foreach (var (id, range) in package.Dependencies)
                if (after.Find(id) is not { } found) throw new UserErrorException($"{package} needs {id} {range}, which would not be installed");
                else if (!VersionRange.Parse(range).Satisfies(NuGetVersion.Parse(found.Version))) throw new UserErrorException($"{package} needs {id} {range}, which {found} is not");

        var changed = after.Packages.Where(package => before.Find(package.Id)?.Version != package.Version).ToList();
        if (changed.Count == 0) return;
        progress(new InstallStep($"inspecting {string.Join(", ", changed)}"));
        InstalledPackage At(LockedPackage package) => new(package, staged.FirstOrDefault(item => item.Package.Is(package.Id)).Folder ?? store.FolderOf(package));
        // The changed ones last: a fault of theirs is theirs, and not of the package whose id they take.
        using var catalog = PluginCatalog.Discover(host.PluginFolders, [.. after.Packages.OrderBy(changed.Contains).Select(At)]);
        foreach (var package in changed)
            if (catalog.Installed.Faults.FirstOrDefault(fault => fault.Folder == At(package).Folder) is { } fault)
                throw new InstallFailedException($"the package {package} from {package.Source} is refused: {fault.Message}");
        using var old = PluginCatalog.Discover([], [.. before.Packages.Select(package => new InstalledPackage(package, store.FolderOf(package)))]);
        foreach (var fault in catalog.Installed.Faults.Where(fault => before.Packages.Any(package => store.FolderOf(package) == fault.Folder) && !old.Installed.Faults.Contains(fault)))
            throw new InstallFailedException($"with {string.Join(", ", changed)} another package could no longer be used: {fault.Folder}: {fault.Message}");
    }

    private static List<PackageChange> Changes(PluginLock before, PluginLock after)
    {
        var ids = before.Packages.Concat(after.Packages).Select(package => package.Id).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase);
        return [.. ids.Select(id => new PackageChange(id, before.Find(id)?.Version, after.Find(id)?.Version, after.Find(id)?.Source)).Where(change => change.Before != change.After)];
    }

    private static VersionRange NewerThan(LockedPackage package) =>
        new(NuGetVersion.Parse(package.Version), includeMinVersion: true);

    private static LockedPackage Installed(PluginLock locked, string id) => locked.Find(id)
        ?? throw new UserErrorException($"no package {id} is installed{NearestName.Suggestion(id, locked.Packages.Select(package => package.Id))}");

    private void CleanQuietly(PluginLock locked)
    {
        try
        {
            store.Clean(locked);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What is left is in no lock file, so it is in nobody's way; the next change cleans it up.
        }
    }
}
