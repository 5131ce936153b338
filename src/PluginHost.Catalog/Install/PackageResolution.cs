using NuGet.Versioning;
using PluginHost.Catalog.Inspection;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Install;

/// <summary>
/// Chooses and downloads the packages that a change needs. What is installed and will do is kept; a dependency that is missing is
/// taken in the lowest version that everybody accepts, as NuGet does. Nothing is decided by what a feed says of a package, only by its nuspec.
/// </summary>
internal sealed class PackageResolution(
    PluginLock locked, InstallConfig config, PackageLimits limits, string staging, Action<InstallStep> progress) : IDisposable
{
    private const int MostDownloads = 200;

    private readonly PackageFeeds feeds = new(config, limits);
    private readonly Dictionary<string, PluginPackage> chosen = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, PackageRequest> roots = new(StringComparer.OrdinalIgnoreCase);
    private int downloads;

    /// <summary>The packages to install, those asked for first.</summary>
    public IEnumerable<PluginPackage> Packages => chosen.Values;

    /// <summary>Chooses the version of a package that somebody asks for, without downloading it.</summary>
    /// <exception cref="UserErrorException">There is none that will do.</exception>
    public async Task<(FeedClient Feed, NuGetVersion Version)> ChooseAsync(PackageRequest request, string? source, CancellationToken cancellation)
    {
        var wanted = source is not null ? feeds.Named(source) : Pinned(request.Id);
        var offer = await feeds.FindAsync(request.Id, wanted, strict: true, cancellation).ConfigureAwait(false);
        var needs = Needs(request.Id);
        var version = request.Best(offer.Versions.Where(version => needs.All(need => need.Range.Satisfies(version))));
        if (version is not null) return (offer.Feed, version);
        if (request.Best(offer.Versions) is { } refused && needs.FirstOrDefault(need => !need.Range.Satisfies(refused)) is { } need)
            throw new UserErrorException($"{request.Id} {refused} cannot be installed: {need.By} needs {request.Id} {need.Range.PrettyPrint()}");
        throw new UserErrorException($"{offer.Feed.Feed.Name} has no {(request.Range is null ? "stable version" : $"version {request.Text}")} of {request.Id}; it has {Shown(offer.Versions)}");
    }

    /// <summary>Downloads a chosen package and whatever it needs.</summary>
    /// <exception cref="InstallFailedException">A package is refused, or no versions go together.</exception>
    public async Task AddAsync(PackageRequest request, FeedClient feed, NuGetVersion version, CancellationToken cancellation)
    {
        roots[request.Id] = request;
        var waiting = new Queue<string>();
        await TakeAsync(feed, request.Id, version, waiting, cancellation).ConfigureAwait(false);
        while (waiting.TryDequeue(out var id))
        {
            var needs = Needs(id);
            var present = chosen.GetValueOrDefault(id)?.Version ?? (locked.Find(id) is { } kept ? NuGetVersion.Parse(kept.Version) : null);
            if (present is not null && needs.All(need => need.Range.Satisfies(present))) continue;
            var offer = await OfferAsync(id, needs, feed.Feed, cancellation).ConfigureAwait(false);
            var lowest = offer.Versions.Where(candidate => needs.All(need => need.Range.Satisfies(candidate))).OrderBy(candidate => candidate.IsPrerelease).ThenBy(candidate => candidate).FirstOrDefault();
            if (lowest is null || roots.ContainsKey(id))
                throw new InstallFailedException($"no version of {id} will do: {string.Join(", and ", needs.Select(need => $"{need.By} needs {need.Range.PrettyPrint()}"))}; {offer.Feed.Feed.Name} has {Shown(offer.Versions)}");
            try
            {
                await TakeAsync(offer.Feed, id, lowest, waiting, cancellation).ConfigureAwait(false);
            }
            catch (NoPluginPackageException)
            {
                throw new InstallFailedException($"{needs[0].By} depends on {id}, which is no plugin package. {PrivateInside}");
            }
        }
    }

    /// <summary>Downloads a package into the staging folder and opens it.</summary>
    /// <exception cref="InstallFailedException">It is refused.</exception>
    public async Task<PluginPackage> DownloadAsync(FeedClient feed, string id, NuGetVersion version, CancellationToken cancellation)
    {
        if (++downloads > MostDownloads) throw new InstallFailedException($"{id} leads to more than {MostDownloads} downloads; its dependencies may run in a circle of versions");
        progress(new InstallStep($"downloading {id} {version.ToNormalizedString()} from {feed.Feed.Name}"));
        Directory.CreateDirectory(staging);
        var path = Path.Combine(staging, $"{downloads}.nupkg");
        using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
            await feed.DownloadAsync(id, version, file, cancellation).ConfigureAwait(false);
        var package = PluginPackage.Open(path, $"{id} {version.ToNormalizedString()} from {feed.Feed.Name}", feed.Feed, limits);
        try
        {
            if (!package.Id.Equals(id, StringComparison.OrdinalIgnoreCase) || package.Version != version)
                throw new InstallFailedException($"the feed {feed.Feed.Name} gives {package.Id} {package.Version.ToNormalizedString()} for {id} {version.ToNormalizedString()}");
            CheckLock(package);
            if (config.Signatures == SignaturePolicy.Signed) await SignatureCheck.RunAsync(package, config.Certificates, cancellation).ConfigureAwait(false);
            if (SdkCheck.RangeProblem(package.Sdk) is { } problem) throw new InstallFailedException($"the package {package.Name} is refused: {problem}");
            return package;
        }
        catch
        {
            package.Dispose();
            throw;
        }
    }

    /// <summary>The feed that an installed package came from.</summary>
    /// <exception cref="UserErrorException">The host no longer lists it.</exception>
    public FeedClient SourceOf(LockedPackage package) => feeds.Client(Pinned(package.Id)!);

    public void Dispose()
    {
        foreach (var package in chosen.Values) package.Dispose();
        feeds.Dispose();
    }

    private async Task TakeAsync(FeedClient feed, string id, NuGetVersion version, Queue<string> waiting, CancellationToken cancellation)
    {
        var package = await DownloadAsync(feed, id, version, cancellation).ConfigureAwait(false);
        if (chosen.Remove(id, out var replaced)) replaced.Dispose();
        chosen[id] = package;
        foreach (var dependency in package.Dependencies) waiting.Enqueue(dependency.Id);
    }

    private async Task<PackageOffer> OfferAsync(string id, List<Need> needs, PackageFeed nearby, CancellationToken cancellation)
    {
        try
        {
            return await feeds.FindAsync(id, Pinned(id) ?? nearby, strict: false, cancellation).ConfigureAwait(false);
        }
        catch (UserErrorException missing)
        {
            throw new InstallFailedException($"{needs[0].By} depends on {id}, and {missing.Message}. {PrivateInside}");
        }
    }

    private const string PrivateInside = $"Only {PluginPackage.SdkId} and other plugin packages are dependencies of a plugin package; its private dependencies belong inside it";

    private PackageFeed? Pinned(string id)
    {
        if (locked.Find(id) is not { } package) return null;
        try
        {
            return feeds.Named(package.Source);
        }
        catch (UserErrorException)
        {
            throw new UserErrorException($"{package} came from '{package.Source}', which is no longer a feed of this host; add it under install.feeds in host.json, or name another with --source");
        }
    }

    // What a version was when it was first installed, it stays: a feed that gives something else is wrong or worse.
    private void CheckLock(PluginPackage package)
    {
        var known = new[] { locked.Find(package.Id), locked.Find(package.Id)?.Previous }.OfType<LockedPackage>().FirstOrDefault(item => item.Version == package.Version.ToNormalizedString());
        if (known is null && config.Signatures == SignaturePolicy.Locked)
            throw new InstallFailedException($"the package {package.Name} is refused: the policy 'locked' of install.signatures takes only what the lock file names, and it does not name this version");
        if (known is not null && known.Sha512 != package.Sha512)
            throw new InstallFailedException($"the package {package.Name} is refused: its SHA-512 is not the one in the lock file, so it is not the package that was installed under this version");
    }

    private List<Need> Needs(string id) =>
    [
        .. from package in locked.Packages
           where !chosen.ContainsKey(package.Id) && !roots.ContainsKey(package.Id)
           from dependency in package.Dependencies
           where dependency.Key.Equals(id, StringComparison.OrdinalIgnoreCase)
           select new Need(package.ToString(), VersionRange.Parse(dependency.Value)),
        .. from package in chosen.Values
           from dependency in package.Dependencies
           where dependency.Id.Equals(id, StringComparison.OrdinalIgnoreCase)
           select new Need($"{package.Id} {package.Version.ToNormalizedString()}", dependency.VersionRange),
    ];

    private static string Shown(IReadOnlyList<NuGetVersion> versions)
    {
        const int most = 5;
        return string.Join(", ", versions.OrderDescending().Take(most).Select(version => version.ToNormalizedString())) + (versions.Count > most ? $" and {versions.Count - most} more" : "");
    }

    private sealed record Need(string By, VersionRange Range);
}
