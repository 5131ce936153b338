using System.Net;
using System.Net.Sockets;
using PluginHost.Sdk;
using PluginHost.Serving.Http.Media;

namespace PluginHost.Serving.Tests.Http.Media;

public sealed class MediaFetcherTests : IAsyncLifetime
{
    private Origin origin = null!;
    private int lookUps;

    public async Task InitializeAsync() => origin = await Origin.StartAsync();

    public async Task DisposeAsync() => await origin.DisposeAsync();

    // The tests' own host is on a loopback address; everything else is as it is served.
    private MediaFetching Rules(string address = "127.0.0.1", bool loopback = true) => new()
    {
        Hosts = [$"pictures.test:{origin.Port}", "literal.test", "127.0.0.1"],
        MaxBytes = 1 << 20,
        Timeout = TimeSpan.FromSeconds(30),
        Allows = allowed => loopback ? IPAddress.IsLoopback(allowed) : PublicAddress.Is(allowed),
        Resolve = (_, _) =>
        {
            Interlocked.Increment(ref lookUps);
            return Task.FromResult(address.Split(' ').Select(IPAddress.Parse).ToArray());
        },
    };

    private Uri At(string path) => new($"http://pictures.test:{origin.Port}/{path}");

    private static async Task<string> Refusal(MediaFetching rules, Uri address)
    {
        using var fetcher = new MediaFetcher(rules);
        return (await Assert.ThrowsAsync<UserErrorException>(() => fetcher.FetchAsync(address, default))).Message;
    }

    [Fact]
    public async Task Fetch_ListedHost_BringsBytesAndTypeAfterOneLookUp()
    {
        using var fetcher = new MediaFetcher(Rules());

        var content = await fetcher.FetchAsync(At("a.png"), default);

        Assert.Equal(("image/png", 5), (content.MediaType, content.Data.Length));
        Assert.Equal(1, lookUps);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("169.254.169.254")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("8.8.8.8 127.0.0.1")] // one of them leads inside
    public async Task Fetch_ListedNameOfAnAddressInside_IsRefusedUnvisited(string addresses)
    {
        Assert.Contains("not of the public internet", await Refusal(Rules(addresses, loopback: false), At("a.png")), StringComparison.Ordinal);
        Assert.Equal(0, origin.Visits);
    }

    [Fact]
    public async Task Fetch_ListedLiteralAddressInside_IsRefusedToo()
    {
        var rules = Rules(loopback: false) with { Hosts = [$"127.0.0.1:{origin.Port}"] };

        Assert.Contains("not of the public internet", await Refusal(rules, new Uri($"http://127.0.0.1:{origin.Port}/a.png")), StringComparison.Ordinal);
        Assert.Equal(0, origin.Visits);
    }

    [Theory]
    [InlineData("http://other.test/a.png", "'other.test' is none of the hosts")]
    [InlineData("http://pictures.test/a.png", "'pictures.test' is none of the hosts")] // another port
    [InlineData("http://sub.pictures.test/a.png", "is none of the hosts")]
    [InlineData("http://literal.test.:80/a.png", "is none of the hosts")]
    [InlineData("http://literal.test@other.test/a.png", "a user or a password")]
    [InlineData("http://me:secret@literal.test/a.png", "a user or a password")]
    [InlineData("http://0x7f000002/a.png", "is none of the hosts")]
    [InlineData("http://[::1]/a.png", "is none of the hosts")]
    [InlineData("file:///etc/passwd", "'file:' is not fetched")]
    [InlineData("ftp://literal.test/a.png", "'ftp:' is not fetched")]
    public async Task Fetch_AnyOtherAddress_IsRefusedWithoutALookUp(string address, string message)
    {
        Assert.Contains(message, await Refusal(Rules(), new Uri(address)), StringComparison.Ordinal);
        Assert.Equal(0, lookUps);
    }

    [Fact]
    public async Task Fetch_NoHostListed_SaysWhatWouldListIt() =>
        Assert.Contains("let its owner list 'literal.test' in server.mediaHosts", await Refusal(Rules() with { Hosts = [] }, new Uri("https://literal.test/a.png")), StringComparison.Ordinal);

    [Theory]
    [InlineData("elsewhere.png", "redirects are not followed", 1)]
    [InlineData("missing.png", "its host answers 404", 1)]
    [InlineData("page", "its host says that it is 'text/html'", 1)]
    [InlineData("none.png", "is empty", 1)]
    [InlineData("large.png", "more than 1 MB", 1)]
    [InlineData("endless.png", "more than 1 MB", 1)]
    public async Task Fetch_UnusableAnswer_SaysWhy(string path, string message, int visits)
    {
        Assert.Contains(message, await Refusal(Rules(), At(path)), StringComparison.Ordinal);
        Assert.Equal(visits, origin.Visits);
    }

    [Fact]
    public async Task Fetch_SilentHost_EndsAtItsTime() =>
        Assert.Contains("did not come within 0.2 s", await Refusal(Rules() with { Timeout = TimeSpan.FromSeconds(0.2) }, At("silent.png")), StringComparison.Ordinal);

    [Fact]
    public async Task Fetch_UnknownName_SaysSo() =>
        Assert.Contains("nobody knows the host 'pictures.test'", await Refusal(Rules() with { Resolve = (_, _) => throw new SocketException((int)SocketError.HostNotFound) }, At("a.png")), StringComparison.Ordinal);

    [Fact]
    public async Task Fetch_NobodyListening_TellsNothingOfTheNetwork()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();

        var message = await Refusal(Rules() with { Hosts = [$"pictures.test:{port}"] }, new Uri($"http://pictures.test:{port}/a.png"));

        Assert.Contains("does not answer as it should", message, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_CallerLeaves_IsNoMistakeOfTheirs()
    {
        using var fetcher = new MediaFetcher(Rules());
        using var leaving = new CancellationTokenSource(TimeSpan.FromSeconds(0.2));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetcher.FetchAsync(At("silent.png"), leaving.Token));
    }
}
