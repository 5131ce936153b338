using System.Xml;
using NuGet.Common;
using NuGet.Configuration;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Protocol;
using NuGet.Protocol.Core.Types;
using NuGet.Versioning;
using PluginHost.Config;

namespace PluginHost.Catalog.Install;

/// <summary>A feed that can be asked: which versions of a package there are, and for the package itself.</summary>
internal sealed class FeedClient : IDisposable
{
    private readonly SourceRepository repository;
    // What is installed is asked for afresh, and never left behind in a cache.
    private readonly SourceCacheContext cache = new() { NoCache = true, DirectDownload = true, RefreshMemoryCache = true };
    private readonly PackageLimits limits;

    public FeedClient(PackageFeed feed, PackageLimits limits)
    {
        Feed = feed;
        this.limits = limits;
        var known = new PackageSourceProvider(Settings.LoadDefaultSettings(root: null)).LoadPackageSources();
        // Credentials of a private feed are where NuGet's own clients have them.
        var source = new PackageSource(feed.Address) { AllowInsecureConnections = true, Credentials = known.FirstOrDefault(item => item.Source == feed.Address)?.Credentials };
        repository = new SourceRepository(source, [new Lazy<INuGetResourceProvider>(new GuardedHttpProvider(limits)), .. Repository.Provider.GetCoreV3()]);
    }

    public PackageFeed Feed { get; }

    /// <summary>All versions of a package; none when the feed does not know it.</summary>
    /// <exception cref="InstallFailedException">The feed cannot be asked.</exception>
    public Task<IReadOnlyList<NuGetVersion>> VersionsAsync(string id, CancellationToken cancellation) => Asking<IReadOnlyList<NuGetVersion>>(async packages =>
        [.. await packages.GetAllVersionsAsync(id, cache, NullLogger.Instance, cancellation).ConfigureAwait(false) ?? []]);

    /// <summary>Downloads a package to a stream.</summary>
    /// <exception cref="InstallFailedException">The feed cannot be asked, or the package is too large.</exception>
    public Task DownloadAsync(string id, NuGetVersion version, Stream target, CancellationToken cancellation) => Asking(async packages =>
    {
        var limited = new LimitedStream(target, limits.PackageBytes, () => new InstallFailedException($"the package {id} {version} from {Feed.Name} is larger than {limits.PackageBytes >> 20} MB"));
        return await packages.CopyNupkgToStreamAsync(id, version, limited, cache, NullLogger.Instance, cancellation).ConfigureAwait(false)
            ? true : throw new InstallFailedException($"the feed {Feed.Name} lists {id} {version}, but does not have it");
    });

    public void Dispose() => cache.Dispose();

    private async Task<T> Asking<T>(Func<FindPackageByIdResource, Task<T>> ask)
    {
        if (Feed.IsFolder && !Directory.Exists(Feed.Address)) throw new InstallFailedException($"the feed {Feed.Name} cannot be used: there is no folder {Feed.Address}");
        try
        {
            var packages = await repository.GetResourceAsync<FindPackageByIdResource>().ConfigureAwait(false);
            return await ask(packages ?? throw new InstallFailedException($"the feed {Feed.Name} ({Feed.Address}) is no NuGet v3 feed")).ConfigureAwait(false);
        }
        catch (Exception error) when (IsOfFeed(error))
        {
            for (var inner = error; inner is not null; inner = inner.InnerException)
                if (inner is InstallFailedException own) throw own;
            if (Feed.IsFolder && Broken() is { } broken) throw new InstallFailedException(broken);
            throw new InstallFailedException($"the feed {Feed.Name} ({Feed.Address}) cannot be used: {Innermost(error).Message.TrimEnd('.')}");
        }
    }

    // NuGet does not say which file of the folder it could not read.
    private string? Broken() => Directory.EnumerateFiles(Feed.Address, "*.nupkg", SearchOption.AllDirectories).Select(Problem).FirstOrDefault(problem => problem is not null);

    private static string? Problem(string file)
    {
        try
        {
            using var reader = new PackageArchiveReader(file);
            reader.GetIdentity();
            return null;
        }
        catch (InvalidDataException)
        {
            return $"the package file {file} is truncated, or no zip file at all";
        }
        catch (Exception error) when (IsOfFeed(error))
        {
            return $"the package file {file} has an unusable nuspec: {Innermost(error).Message.TrimEnd('.')}";
        }
    }

    // Arguments and formats: a nuspec whose version or id is none.
    private static bool IsOfFeed(Exception error) => error is NuGetProtocolException or HttpRequestException or InvalidDataException or PackagingException
        or ArgumentException or FormatException or XmlException;

    private static Exception Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error;
}
