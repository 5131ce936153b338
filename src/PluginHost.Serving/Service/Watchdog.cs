using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace PluginHost.Serving.Service;

/// <summary>
/// Tells systemd that the server answers, as often as <c>WatchdogSec=</c> of its unit asks for, and only while it does: systemd starts one anew that hangs. The hosting package
/// sends <c>READY=1</c> and <c>STOPPING=1</c>, and no pings.
/// </summary>
/// <param name="systemd">Takes the messages.</param>
/// <param name="life">Whether the server answers.</param>
/// <param name="every">Time between two pings.</param>
/// <param name="logger">Is told when a ping is left out.</param>
internal sealed class Watchdog(ISystemdNotifier systemd, ServerLife life, TimeSpan every, ILogger<Watchdog> logger) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    /// <summary>Half of the time after which systemd loses patience with this process; null: it has not been asked to watch it.</summary>
    /// <param name="variable">Reads the environment.</param>
    public static TimeSpan? Interval(Func<string, string?> variable)
    {
        if (variable("NOTIFY_SOCKET") is null or "" || !long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) || microseconds < 2) return null;
        var watched = variable("WATCHDOG_PID");
        return watched is null or "" || watched == Environment.ProcessId.ToString(CultureInfo.InvariantCulture) ? TimeSpan.FromMicroseconds(microseconds / 2) : null;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(every);
        try
        {
            do
            {
                if (await life.AskAsync(every, stoppingToken).ConfigureAwait(false)) systemd.Notify(Alive);
                else if (!stoppingToken.IsCancellationRequested) logger.LogError("The server did not answer itself within {Seconds} s; systemd is not told that it is alive", every.TotalSeconds);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the server stops
        }
    }
}
