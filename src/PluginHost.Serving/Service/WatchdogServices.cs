using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace PluginHost.Serving.Service;

/// <summary>The server as a service of the operating system.</summary>
public static class WatchdogServices
{
    /// <summary>Pings systemd's watchdog, where there is one; elsewhere it adds nothing. Added first, it pings longest.</summary>
    public static IServiceCollection AddWatchdog(this IServiceCollection services)
    {
        if (Watchdog.Interval(Environment.GetEnvironmentVariable) is not { } every) return services;
        return services.AddSingleton<ServerLife>().AddHostedService(provider =>
            new Watchdog(new SystemdNotifier(), provider.GetRequiredService<ServerLife>(), every, provider.GetRequiredService<ILogger<Watchdog>>()));
    }
}
