using System.Diagnostics;

namespace PluginHost.Serving.Tests.Jobs;

/// <summary>A server with jobs in a process of its own, which can be killed: this assembly's entry point.</summary>
internal static class JobHost
{
    /// <summary>What a run's <c>steps</c> has when each step was trained once, in order.</summary>
    public static readonly string AllSteps = string.Concat(Enumerable.Range(1, 20).Select(step => $"{step}\n"));

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is ["documents", var folder]) return await Documents.DocumentProcess.RunAsync(folder);
        var jobs = new JobServer(arguments[0]);
        await using var server = await jobs.StartAsync();
        Console.WriteLine(server.Server.Address);
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>Starts it and waits until it answers.</summary>
    public static async Task<KillableJobs> StartAsync(string folder)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet") { ArgumentList = { "exec", typeof(JobHost).Assembly.Location, folder }, RedirectStandardOutput = true })!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.StartsWith("http", StringComparison.Ordinal)) return new KillableJobs(process, new HttpClient { BaseAddress = new Uri(line) });
        throw new InvalidOperationException("the server did not start");
    }
}

/// <summary>A server that ends as a power failure ends it. What it has started is not told.</summary>
internal sealed class KillableJobs(Process process, HttpClient client) : JobClient(client), IDisposable
{
    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        Client.Dispose();
    }
}
