using System.Net;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http.Media;

/// <summary>
/// Fetches media from the hosts that the server's owner lists, and from nowhere else. A name is looked up once, all its addresses are checked, and the connection goes to a
/// checked one: no second look-up can lead elsewhere. Neither redirects nor proxies are followed, and nothing that it got tells the caller of another network. Safe for
/// concurrent use.
/// </summary>
internal sealed class MediaFetcher : IMediaFetcher, IDisposable
{
    private readonly MediaFetching rules;
    private readonly HttpClient client;

    public MediaFetcher(MediaFetching rules)
    {
        this.rules = rules;
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = ConnectAsync,
            MaxResponseHeadersLength = 16, // kilobytes
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            UseCookies = false,
            UseProxy = false,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<DataContent> FetchAsync(Uri address, CancellationToken cancellation)
    {
        Check(address);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(rules.Timeout);
        try
        {
            return await ReceiveAsync(address, limited.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new UserErrorException($"{address} did not come within {rules.Timeout.TotalSeconds:0.#} s; send the data itself");
        }
        catch (HttpRequestException error)
        {
            throw error.InnerException as UserErrorException ?? new UserErrorException($"{address} cannot be fetched: its host does not answer as it should; send the data itself");
        }
        catch (IOException)
        {
            throw new UserErrorException($"{address} cannot be fetched: the connection broke off; send the data itself");
        }
    }

    public void Dispose() => client.Dispose();

    private void Check(Uri address)
    {
        if (address.Scheme is not ("http" or "https")) throw new UserErrorException($"'{address.Scheme}:' is not fetched; an address begins with https:// or http://");
        if (address.UserInfo.Length > 0) throw new UserErrorException("an address with a user or a password in it is not fetched; send the data itself");
        if (rules.Hosts.Count == 0)
            throw new UserErrorException($"{address} is not fetched: this server fetches from no host; send the data itself (data:image/png;base64,...), or let its owner list '{Name(address)}' in server.mediaHosts");
        if (!rules.Hosts.Contains(Name(address), StringComparer.OrdinalIgnoreCase))
            throw new UserErrorException($"{address} is not fetched: '{Name(address)}' is none of the hosts that this server fetches from; send the data itself, or let its owner list it in server.mediaHosts");
    }

    private static string Name(Uri address) => address.IsDefaultPort ? address.IdnHost : $"{address.IdnHost}:{address.Port}";

    private ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation) =>
        GuardedConnection.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, rules.Resolve, rules.Allows, cancellation);

    private async Task<DataContent> ReceiveAsync(Uri address, CancellationToken cancellation)
    {
        using var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if ((int)response.StatusCode is >= 300 and < 400) throw new UserErrorException($"{address} leads elsewhere, and redirects are not followed; send the address where it ends");
        if (response.StatusCode != HttpStatusCode.OK) throw new UserErrorException($"{address} cannot be fetched: its host answers {(int)response.StatusCode}");
        var type = response.Content.Headers.ContentType?.MediaType;
        if (type?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) != true) throw new UserErrorException($"{address} is no picture: its host says that it is '{type ?? "nothing in particular"}'");
        if (response.Content.Headers.ContentLength > rules.MaxBytes) throw TooLarge(address);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 14];
        while (await body.ReadAsync(buffer, cancellation) is var read and > 0)
        {
            if (bytes.Length + read > rules.MaxBytes) throw TooLarge(address);
            bytes.Write(buffer, 0, read);
        }
        return bytes.Length > 0 ? new DataContent(bytes.ToArray(), type) : throw new UserErrorException($"{address} is empty");
    }

    private UserErrorException TooLarge(Uri address) => new($"{address} has more than {rules.MaxBytes >> 20} MB, which is the most that this server reads (server.maxBodyMegabytes)");
}
