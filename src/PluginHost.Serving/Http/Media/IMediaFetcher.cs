using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http.Media;

/// <summary>Fetches media that requests name by address.</summary>
internal interface IMediaFetcher
{
    /// <summary>The medium at an address.</summary>
    /// <exception cref="UserErrorException">It may not be fetched, or cannot be.</exception>
    Task<DataContent> FetchAsync(Uri address, CancellationToken cancellation);
}
