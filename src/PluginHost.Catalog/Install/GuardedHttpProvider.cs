using System.Net;
using System.Net.Sockets;
using NuGet.Protocol;
using NuGet.Protocol.Core.Types;

namespace PluginHost.Catalog.Install;

/// <summary>
/// HTTP for one feed. A public feed's answers must not lead to addresses inside the operator's network: those are
/// reached only when they are the listed feed's own.
/// </summary>
internal sealed class GuardedHttpProvider(PackageLimits limits) : ResourceProvider(typeof(HttpHandlerResource), nameof(GuardedHttpProvider), NuGetResourceProviderPositions.First)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public override Task<Tuple<bool, INuGetResource?>> TryCreate(SourceRepository source, CancellationToken token)
    {
        var listed = source.PackageSource.SourceUri;
        var sockets = new SocketsHttpHandler
        {
            AutomaticDecompression = DecompressionMethods.All,
            Credentials = source.PackageSource.Credentials?.ToICredentials(),
            PreAuthenticate = true,
            ConnectTimeout = Patience,
            ConnectCallback = (context, cancellation) => ConnectAsync(context, listed, cancellation),
        };
        var resource = new HttpHandlerResourceV3(new HttpClientHandler(), new LimitedAnswers(limits) { InnerHandler = sockets });
        return Task.FromResult(Tuple.Create<bool, INuGetResource?>(true, resource));
    }

    /// <summary>Whether the address belongs to this machine or to a private network.</summary>
    internal static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any);
        return address.GetAddressBytes() is [0 or 10 or 127 or >= 224, ..] or [169, 254, ..] or [192, 168, ..] or [172, >= 16 and <= 31, ..] or [100, >= 64 and <= 127, ..];
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, Uri listed, CancellationToken cancellation)
    {
        var wanted = context.InitialRequestMessage.RequestUri!;
        var end = context.DnsEndPoint;
        var addresses = await Dns.GetHostAddressesAsync(end.Host, cancellation).ConfigureAwait(false);
        // Behind the operator's proxy it is the proxy that is connected to. The checked addresses are the ones connected to: a name cannot change between.
        var direct = HttpClient.DefaultProxy.IsBypassed(wanted) || HttpClient.DefaultProxy.GetProxy(wanted) is null;
        if (direct && wanted.Authority != listed.Authority && addresses.FirstOrDefault(IsPrivate) is { } inside)
            throw new InstallFailedException($"the feed {listed} leads to {wanted.Authority}, an address inside a private network ({inside}); list that address under install.feeds if it is meant");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, end.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Ends an answer that is larger than any package may be.</summary>
    private sealed class LimitedAnswers(PackageLimits limits) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var content = new StreamContent(new LimitedStream(
                await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), limits.PackageBytes,
                () => new InstallFailedException($"{request.RequestUri} answers with more than {limits.PackageBytes >> 20} MB")));
            foreach (var header in response.Content.Headers) content.Headers.TryAddWithoutValidation(header.Key, header.Value);
            response.Content = content;
            return response;
        }
    }
}
