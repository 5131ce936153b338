using System.Net;
using System.Net.Sockets;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http.Media;

/// <summary>Connections to hosts that somebody else has named: a name is looked up once, all its addresses are checked, and the connection goes to a checked one, so that no second look-up can lead elsewhere.</summary>
internal static class GuardedConnection
{
    /// <summary>Connects.</summary>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="resolve">Finds a name's addresses.</param>
    /// <param name="allows">Whether an address may be connected to.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="UserErrorException">Nobody knows the host, or it leads inside.</exception>
    public static async ValueTask<Stream> ConnectAsync(string host, int port, Func<string, CancellationToken, Task<IPAddress[]>> resolve, Func<IPAddress, bool> allows, CancellationToken cancellation)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellation);
        }
        catch (SocketException)
        {
            addresses = [];
        }
        if (addresses.Length == 0) throw new UserErrorException($"nobody knows the host '{host}'");
        // One address that leads inside is enough to distrust them all.
        if (!addresses.All(allows)) throw new UserErrorException($"'{host}' leads to an address that is not of the public internet, and those are never fetched from");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
