using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;

namespace PluginHost.Serving.Service;

/// <summary>Whether the server answers, asked as a caller would: over its own socket.</summary>
internal sealed class ServerLife(IServer server) : IDisposable
{
    // The certificate is for the name that others call the server by.
    private readonly HttpClient client = new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true }, UseProxy = false });

    /// <summary>Asks <c>/health/live</c>.</summary>
    /// <param name="patience">How long an answer may take.</param>
    /// <param name="cancellation">Nobody wants to know any more.</param>
    public async Task<bool> AskAsync(TimeSpan patience, CancellationToken cancellation)
    {
        if (server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is not { } address) return false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        try
        {
            using var response = await client.GetAsync(Live(address), limit.Token).ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Where the server is asked: what listens at every address (<c>0.0.0.0</c>, <c>[::]</c>, <c>*</c>, <c>+</c>) listens at this machine's own.</summary>
    internal static Uri Live(string address)
    {
        var parsed = BindingAddress.Parse(address);
        var host = parsed.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : parsed.Host;
        return new Uri($"{parsed.Scheme}://{host}:{parsed.Port}/health/live");
    }

    public void Dispose() => client.Dispose();
}
