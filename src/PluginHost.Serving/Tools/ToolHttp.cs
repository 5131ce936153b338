using System.Net;
using PluginHost.Sdk;
using PluginHost.Serving.Http.Media;

namespace PluginHost.Serving.Tools;

/// <summary>
/// How tools go out: to the public internet, and to hosts that the server's owner lists wherever they are. Neither redirects nor proxies are followed, no cookies are kept, and no address may hold a password.
/// </summary>
public static class ToolHttp
{
    /// <summary>Makes a client; connections of it are its own.</summary>
    /// <param name="hosts">Hosts that may be private: <c>name</c>, at its scheme's own port, or <c>name:port</c>.</param>
    public static HttpClient Client(IReadOnlyList<string> hosts) => new(Handler(hosts)) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>What is wrong with an address before anybody connects to it; null: nothing.</summary>
    internal static string? Problem(Uri address) =>
        address.Scheme is not ("http" or "https") ? $"'{address.Scheme}:' is not asked; an address begins with https:// or http://"
        : address.UserInfo.Length > 0 ? "an address with a user or a password in it is not asked"
        : null;

    private static GuardedHandler Handler(IReadOnlyList<string> hosts) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = (context, cancellation) => GuardedConnection.ConnectAsync(
            context.DnsEndPoint.Host, context.DnsEndPoint.Port, Dns.GetHostAddressesAsync, Allows(hosts, context.InitialRequestMessage.RequestUri!), cancellation),
        MaxResponseHeadersLength = 16, // kilobytes
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        UseCookies = false,
        UseProxy = false,
    });

    private static Func<IPAddress, bool> Allows(IReadOnlyList<string> hosts, Uri address)
    {
        var name = address.IsDefaultPort ? address.IdnHost : $"{address.IdnHost}:{address.Port}";
        return hosts.Contains(name, StringComparer.OrdinalIgnoreCase) ? _ => true : PublicAddress.Is;
    }

    private sealed class GuardedHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var address = request.RequestUri!;
            if (Problem(address) is { } problem) throw new UserErrorException($"{problem}: {address.Scheme}://{address.Host}");
            try
            {
                var response = await base.SendAsync(request, cancellationToken);
                if ((int)response.StatusCode is < 300 or >= 400 or 304) return response;
                response.Dispose();
                throw new UserErrorException($"{address.Host} leads elsewhere ({(int)response.StatusCode}), and redirects are not followed; use the address where it ends");
            }
            catch (HttpRequestException error) when (error.InnerException is UserErrorException refused)
            {
                throw new UserErrorException($"{refused.Message}; the server's owner can list it in server.toolHosts");
            }
        }
    }
}
