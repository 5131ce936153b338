using System.Net;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests.Install;

public sealed class FeedTests : IDisposable
{
    private readonly PackagePlace place = new();

    public void Dispose() => place.Dispose();

    private string Other(string id, string version)
    {
        var folder = place.Folder("other");
        TestPackage.Media(id, version, more: "public sealed class FromOther;").WriteTo(folder);
        return folder;
    }

    [Fact]
    public async Task Install_IdInTwoFeeds_IsNotTakenFromWhicheverComesFirst()
    {
        place.Publish("Acme.Plain", "1.0.0");
        place.Feeds = [.. place.Feeds, new PackageFeed("public", Other("Acme.Plain", "99.0.0"))];

        Assert.Equal("Acme.Plain is in the feeds local and public; say which with --source, or tie it to one under install.prefixes in host.json", await place.Refused("Acme.Plain"));
        Assert.Equal("1.0.0", Assert.Single(await place.Install("Acme.Plain", "local")).After);
        // From then on it stays with its feed.
        Assert.Empty(await new PluginInstaller(place.Host).UpdateAsync(null, default));
    }

    [Fact]
    public async Task Install_PrefixTiedToAFeed_IsNeverTakenFromAnother()
    {
        var other = Other("Acme.Plain", "99.0.0");
        place.Publish("Acme.Plain", "1.0.0");
        place.Feeds = [.. place.Feeds, new PackageFeed("public", other)];
        place.Prefixes = [new FeedPrefix("*", "public"), new FeedPrefix("acme.*", "local")];

        Assert.Equal("Acme.Plain comes only from the feed 'local': install.prefixes ties acme.* to it, so it is not taken from public", await place.Refused<UserErrorException>(() => place.Install("Acme.Plain", "public")));
        Assert.Equal("1.0.0", Assert.Single(await place.Install("Acme.Plain")).After);
        Assert.Equal("the feed 'local', to which install.prefixes ties acme.*, has no package Acme.Absent", await place.Refused<UserErrorException>(() => place.Install("Acme.Absent")));
    }

    [Fact]
    public async Task Install_DependencyWithATiedPrefix_IsTakenFromItsFeedAlone()
    {
        var folder = place.Folder("other");
        TestPackage.Media("Acme.Base", "1.0.0", more: "public sealed class Slipped;").WriteTo(folder);
        var package = TestPackage.Media("Other.Plain", "1.0.0");
        package.Dependencies["Acme.Base"] = "[1.0,2.0)";
        package.WriteTo(folder);
        place.Publish("Acme.Base", "1.0.0");
        place.Prefixes = [new FeedPrefix("Acme.*", "local")];

        await place.Install("Other.Plain", folder);

        Assert.Equal("local", place.Store.ReadLock().Find("Acme.Base")!.Source);
        Assert.Equal(folder, place.Store.ReadLock().Find("Other.Plain")!.Source);
    }

    [Theory]
    [InlineData("https://elsewhere.test/index.json", "'https://elsewhere.test/index.json' is no feed of this host; packages come only from the feeds under install.feeds in host.json: add it there")]
    [InlineData("locall", "'locall' is neither a folder nor a feed of this host; did you mean 'local'?")]
    public async Task Install_SourceThatIsNotListed_IsRefused(string source, string expected) =>
        Assert.Equal(expected, await place.Refused<UserErrorException>(() => place.Install("Acme.Plain", source)));

    [Fact]
    public async Task Install_FeedFolderThatIsGone_SaysSo()
    {
        place.Feeds = [new PackageFeed("gone", "/nowhere/feed")];

        Assert.Equal("the feed gone cannot be used: there is no folder /nowhere/feed", await place.Refused("Acme.Plain"));
    }

    [Fact]
    public async Task Install_FromAnHttpFeed_IsTheSameAsFromAFolder()
    {
        place.Publish("Acme.Base", "1.0.0");
        place.Publish("Acme.Plain", "1.0.0", ("Acme.Base", "[1.0,2.0)"));
        using var server = new FeedServer(place.Feed);
        place.Feeds = [new PackageFeed("http", server.Index)];

        await place.Install("Acme.Plain");

        Assert.Equal(["Acme.Base 1.0.0", "Acme.Plain 1.0.0"], place.Active);
        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
    }

    [Fact]
    public async Task Install_HttpFeedThatFails_IsOneClearError()
    {
        using (var server = new FeedServer(place.Feed)) place.Feeds = [new PackageFeed("http", server.Index)];

        Assert.StartsWith($"the feed http ({place.Feeds[0].Address}) cannot be used: ", await place.Refused("Acme.Plain"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_FeedThatLeadsIntoThePrivateNetwork_IsRefused()
    {
        place.Publish("Acme.Plain", "1.0.0");
        using var inside = new FeedServer(place.Feed);
        using var listed = new FeedServer(place.Feed, content: inside);
        place.Feeds = [new PackageFeed("http", listed.Index)];

        var message = await place.Refused("Acme.Plain");

        Assert.Contains($"leads to 127.0.0.1:{inside.Port}, an address inside a private network (127.0.0.1); list that address under install.feeds if it is meant", message, StringComparison.Ordinal);
        Assert.Equal(0, inside.Requests);
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("169.254.169.254", true)]
    [InlineData("172.16.0.1", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("192.168.1.1", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("8.8.8.8", false)]
    [InlineData("::1", true)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("2606:4700::1", false)]
    public void IsPrivate_Address_IsJudgedByItsRange(string address, bool expected) => Assert.Equal(expected, GuardedHttpProvider.IsPrivate(IPAddress.Parse(address)));
}
