using System.Net;

namespace PluginHost.Serving.Http.Media;

/// <summary>From where media are fetched, and how.</summary>
internal sealed record MediaFetching
{
    /// <summary>The hosts, as <c>name</c> (at its scheme's own port) or <c>name:port</c>. Empty: nothing is fetched.</summary>
    public required IReadOnlyList<string> Hosts { get; set; }

    /// <summary>Most bytes of a medium.</summary>
    public required long MaxBytes { get; init; }

    /// <summary>How long a fetch may take, from the name's look-up to the last byte.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Finds a host's addresses; called once for a connection.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Whether an address may be connected to; by default those of the public internet.</summary>
    public Func<IPAddress, bool> Allows { get; init; } = PublicAddress.Is;
}
