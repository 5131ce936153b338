using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http;

/// <summary>Fetches nothing.</summary>
internal sealed class NoFetcher : IMediaFetcher
{
    public Task<DataContent> FetchAsync(Uri address, CancellationToken cancellation) =>
        throw new UserErrorException($"{address} is not fetched: this server fetches nothing; send the data itself (data:image/png;base64,...)");
}
