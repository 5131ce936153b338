using Microsoft.Extensions.Logging;

namespace PluginHost.Serve;

/// <summary>What a server writes to its log: for people on a terminal, as lines of JSON elsewhere.</summary>
internal static class ServerLog
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        if (Console.IsOutputRedirected) logging.AddJsonConsole(json => json.TimestampFormat = "O");
        else logging.AddSimpleConsole(simple => simple.SingleLine = true);
    }
}
