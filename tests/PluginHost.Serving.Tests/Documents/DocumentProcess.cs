using System.Diagnostics;
using PluginHost.Serving.Tests.Jobs;

namespace PluginHost.Serving.Tests.Documents;

/// <summary>A server with documents in a process of its own, which can be killed.</summary>
internal static class DocumentProcess
{
    public static async Task<int> RunAsync(string folder)
    {
        await using var server = await DocumentServer.StartAsync(folder);
        Console.WriteLine(server.Server.Address);
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>Starts it and waits until it answers.</summary>
    public static async Task<(Process Process, HttpClient Client)> StartAsync(string folder)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet") { ArgumentList = { "exec", typeof(JobHost).Assembly.Location, "documents", folder }, RedirectStandardOutput = true })!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.StartsWith("http", StringComparison.Ordinal)) return (process, new HttpClient { BaseAddress = new Uri(line) });
        throw new InvalidOperationException("the server did not start");
    }
}
