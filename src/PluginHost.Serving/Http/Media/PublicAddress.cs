using System.Net;
using System.Net.Sockets;

namespace PluginHost.Serving.Http.Media;

/// <summary>
/// Tells addresses of the public internet from those that only this machine or its network can reach. By IANA's registries of special-purpose addresses (RFC 6890 and its
/// updates): what is not plainly public is not public, and that includes addresses of version 6 that carry one of version 4.
/// </summary>
internal static class PublicAddress
{
    private static readonly IPNetwork[] Reserved4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), // this network
        IPNetwork.Parse("10.0.0.0/8"), // private
        IPNetwork.Parse("100.64.0.0/10"), // carriers' own
        IPNetwork.Parse("127.0.0.0/8"), // loopback
        IPNetwork.Parse("168.63.129.16/32"), // a cloud's agent, though the block is public
        IPNetwork.Parse("169.254.0.0/16"), // link-local, and clouds' metadata
        IPNetwork.Parse("172.16.0.0/12"), // private
        IPNetwork.Parse("192.0.0.0/24"), // protocols
        IPNetwork.Parse("192.0.2.0/24"), // documentation
        IPNetwork.Parse("192.88.99.0/24"), // 6to4 relays
        IPNetwork.Parse("192.168.0.0/16"), // private
        IPNetwork.Parse("198.18.0.0/15"), // benchmarks
        IPNetwork.Parse("198.51.100.0/24"), // documentation
        IPNetwork.Parse("203.0.113.0/24"), // documentation
        IPNetwork.Parse("224.0.0.0/4"), // multicast
        IPNetwork.Parse("240.0.0.0/4"), // reserved, broadcast
    ];

    // All that is given out in version 6; loopback, mapped, NAT64, local and multicast addresses lie outside.
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] Reserved6 =
    [
        IPNetwork.Parse("2001::/23"), // protocols, and Teredo, which carries version 4
        IPNetwork.Parse("2001:db8::/32"), // documentation
        IPNetwork.Parse("2002::/16"), // 6to4, which carries version 4
        IPNetwork.Parse("3fff::/20"), // documentation
    ];

    /// <summary>Whether an address is one of the public internet.</summary>
    public static bool Is(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !Reserved4.Any(network => network.Contains(address)),
        // Networks of version 6 hold mapped addresses to be of version 4, and may take them for their own.
        AddressFamily.InterNetworkV6 => !address.IsIPv4MappedToIPv6 && Global6.Contains(address) && !Reserved6.Any(network => network.Contains(address)),
        _ => false,
    };
}
