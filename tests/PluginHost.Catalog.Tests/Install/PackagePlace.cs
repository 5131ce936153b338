using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests.Install;

/// <summary>A feed, a plugin folder and a store of a test's own.</summary>
internal sealed class PackagePlace : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("pluginhost-").FullName;

    public PackagePlace()
    {
        Directory.CreateDirectory(Feed);
        Directory.CreateDirectory(Plugins);
        Feeds = [new PackageFeed("local", Feed)];
    }

    public string Feed => Path.Combine(root, "feed");

    public string Plugins => Path.Combine(root, "plugins");

    public string StoreFolder { get; init; } = "";

    public PluginStore Store => new(StoreFolder.Length > 0 ? StoreFolder : Path.Combine(root, "store"));

    public IReadOnlyList<PackageFeed> Feeds { get; set; }

    public IReadOnlyList<FeedPrefix> Prefixes { get; set; } = [];

    public SignaturePolicy Signatures { get; set; }

    public IReadOnlyList<string> Certificates { get; set; } = [];

    public HostConfig Host => new([Plugins], root, "cpu", new InstallConfig(Store.Folder, Feeds, Prefixes, Signatures, Certificates), "")
    {
        Server = new ServerConfig { Keys = Path.Combine(root, "keys.json"), Jobs = Path.Combine(root, "jobs.db"), ToolFile = Path.Combine(root, "tools.json"), Projects = root },
    };

    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(root, name)).FullName;

    /// <summary>Puts a media plugin's package into the feed.</summary>
    public TestPackage Publish(string id, string version, params (string Id, string Range)[] dependencies)
    {
        var package = TestPackage.Media(id, version);
        foreach (var (dependency, range) in dependencies) package.Dependencies[dependency] = range;
        package.WriteTo(Feed);
        return package;
    }

    public Task<IReadOnlyList<PackageChange>> Install(string request, string? source = null) => new PluginInstaller(Host).InstallAsync(request, source, default);

    public PluginCatalog Discover() => PluginCatalog.Discover(Host);

    /// <summary>Id and version of every active package.</summary>
    public IEnumerable<string> Active => Store.ReadLock().Packages.Select(package => package.ToString());

    /// <summary>Runs a plugin and returns what it says.</summary>
    public string Tell(string id)
    {
        using var catalog = Discover();
        using var lease = catalog.Lease(id, new Dictionary<string, object?>());
        return ((MediaFile)lease.As<IMediaDecoder>().Decode("", "image", new MediaFormat(1, 8000, 1), default)).Path;
    }

    /// <summary>All paths in the store with their contents' hashes; the guard file is no part of its state.</summary>
    public IReadOnlyList<string> State() => !Directory.Exists(Store.Folder) ? [] :
        [.. Directory.EnumerateFileSystemEntries(Store.Folder, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetFileName(path) != ".guard")
            .Select(path => $"{Path.GetRelativePath(Store.Folder, path)} {(File.Exists(path) ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))) : "")}").Order(StringComparer.Ordinal)];

    /// <summary>A change that must fail with one clear message, and leave the store as it was.</summary>
    public async Task<string> Refused<T>(Func<Task> change) where T : Exception
    {
        var before = State();
        var error = await Assert.ThrowsAnyAsync<T>(change);
        Assert.Equal(before, State());
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }

    public Task<string> Refused(string request) => Refused<InstallFailedException>(() => Install(request));

    public void Dispose() => Directory.Delete(root, recursive: true);
}
