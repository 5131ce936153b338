using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Serving.Service;

namespace PluginHost.Serving.Tests.Service;

public sealed class WatchdogTests
{
    [SkippableFact]
    public async Task Watchdog_ServerThatAnswersAndThenStops_PingsAsLongAsItAnswers()
    {
        Skip.If(OperatingSystem.IsWindows(), "systemd is of Linux");
        var folder = Directory.CreateTempSubdirectory("notify").FullName;
        var path = Path.Combine(folder, "socket");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", path);
        try
        {
            await using var server = await TestServer.StartAsync();
            using var life = new ServerLife(server.Services.GetRequiredService<IServer>());
            using var watchdog = new Watchdog(new SystemdNotifier(), life, TimeSpan.FromMilliseconds(50), NullLogger<Watchdog>.Instance);
            await watchdog.StartAsync(CancellationToken.None);

            for (var i = 0; i < 3; i++) Assert.Equal("WATCHDOG=1", await ReceiveAsync(socket));

            await server.Services.GetRequiredService<IHost>().StopAsync();
            Assert.False(await life.AskAsync(TimeSpan.FromSeconds(5), CancellationToken.None));
            while (socket.Available > 0) await ReceiveAsync(socket); // what was sent before
            await Task.Delay(300);
            Assert.Equal(0, socket.Available);
            await watchdog.StopAsync(CancellationToken.None);
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
            Directory.Delete(folder, true);
        }
    }

    [Theory]
    [InlineData("/run/notify", "60000000", null, 30.0)]
    [InlineData("/run/notify", "60000000", "1", null)] // another process is watched
    [InlineData("/run/notify", null, null, null)]
    [InlineData("/run/notify", "soon", null, null)]
    [InlineData(null, "60000000", null, null)]
    public void Interval_Environment_IsHalfOfWhatSystemdWaits(string? socket, string? microseconds, string? process, double? seconds) =>
        Assert.Equal(seconds, Watchdog.Interval(name => name switch { "NOTIFY_SOCKET" => socket, "WATCHDOG_USEC" => microseconds, _ => process })?.TotalSeconds);

    [Theory]
    [InlineData("http://0.0.0.0:8080", "http://localhost:8080/health/live")]
    [InlineData("http://[::]:8080", "http://localhost:8080/health/live")]
    [InlineData("https://*:8443", "https://localhost:8443/health/live")]
    [InlineData("http://10.0.0.3:80", "http://10.0.0.3:80/health/live")]
    public void Live_Address_IsOneOfThisMachine(string address, string asked) => Assert.Equal(new Uri(asked), ServerLife.Live(address));

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[256];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
    }
}
