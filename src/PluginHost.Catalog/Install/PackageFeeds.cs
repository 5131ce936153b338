using NuGet.Versioning;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Install;

/// <summary>What a feed has of a package.</summary>
internal sealed record PackageOffer(FeedClient Feed, IReadOnlyList<NuGetVersion> Versions);

/// <summary>Decides which feed may supply a package. An id that two feeds have is never taken from whichever comes first.</summary>
internal sealed class PackageFeeds(InstallConfig config, PackageLimits limits) : IDisposable
{
    private readonly Dictionary<string, FeedClient> clients = [];

    /// <summary>A feed by its name in the host file, or a folder.</summary>
    /// <exception cref="UserErrorException">It is neither.</exception>
    public PackageFeed Named(string name)
    {
        var remote = name.Contains("://", StringComparison.Ordinal);
        var address = remote ? name : Path.GetFullPath(name);
        if (config.Feeds.FirstOrDefault(feed => feed.Name == name || feed.Address == address) is { } listed) return listed;
        if (remote)
            throw new UserErrorException($"'{name}' is no feed of this host; packages come only from the feeds under install.feeds in host.json: add it there");
        if (Directory.Exists(address)) return new PackageFeed(address, address);
        throw new UserErrorException($"'{name}' is neither a folder nor a feed of this host{NearestName.Suggestion(name, config.Feeds.Select(feed => feed.Name))}");
    }

    /// <summary>Finds the one feed that may supply a package.</summary>
    /// <param name="id">Package id.</param>
    /// <param name="wanted">The feed that was asked for, or null.</param>
    /// <param name="strict">Whether another feed than the wanted one is out of the question.</param>
    /// <param name="cancellation">Stops the search.</param>
    /// <exception cref="UserErrorException">No feed has it, or the id is tied to another feed.</exception>
    /// <exception cref="InstallFailedException">A feed cannot be asked, or several have the id.</exception>
    public async Task<PackageOffer> FindAsync(string id, PackageFeed? wanted, bool strict, CancellationToken cancellation)
    {
        var tied = config.Prefixes.Where(prefix => prefix.Matches(id)).MaxBy(prefix => prefix.Length);
        if (tied is not null)
        {
            if (strict && wanted is not null && wanted.Name != tied.Feed)
                throw new UserErrorException($"{id} comes only from the feed '{tied.Feed}': install.prefixes ties {tied.Pattern} to it, so it is not taken from {wanted.Name}");
            return Known(await OfferAsync(Named(tied.Feed)).ConfigureAwait(false), $"the feed '{tied.Feed}', to which install.prefixes ties {tied.Pattern}, has");
        }
        if (wanted is not null)
        {
            var offer = await OfferAsync(wanted).ConfigureAwait(false);
            if (strict || offer.Versions.Count > 0) return Known(offer, $"the feed {wanted.Name} has");
        }
        var offers = new List<PackageOffer>();
        foreach (var feed in config.Feeds.Where(feed => feed != wanted))
            if (await OfferAsync(feed).ConfigureAwait(false) is { Versions.Count: > 0 } offer) offers.Add(offer);
        if (offers.Count > 1)
            throw new InstallFailedException($"{id} is in the feeds {string.Join(" and ", offers.Select(offer => offer.Feed.Feed.Name))}; say which with --source, or tie it to one under install.prefixes in host.json");
        return offers is [var only] ? only : throw new UserErrorException($"none of the feeds {string.Join(", ", config.Feeds.Select(feed => feed.Name))} has a package {id}; its id, or --source, may be misspelt");

        async Task<PackageOffer> OfferAsync(PackageFeed feed)
        {
            var client = Client(feed);
            return new PackageOffer(client, await client.VersionsAsync(id, cancellation).ConfigureAwait(false));
        }

        PackageOffer Known(PackageOffer offer, string who) => offer.Versions.Count > 0 ? offer : throw new UserErrorException($"{who} no package {id}");
    }

    /// <summary>The client of a feed.</summary>
    public FeedClient Client(PackageFeed feed)
    {
        if (!clients.TryGetValue(feed.Name, out var client)) clients[feed.Name] = client = new FeedClient(feed, limits);
        return client;
    }

    public void Dispose()
    {
        foreach (var client in clients.Values) client.Dispose();
    }
}
