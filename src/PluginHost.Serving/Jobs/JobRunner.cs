using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Sdk;

namespace PluginHost.Serving.Jobs;

/// <summary>
/// Trains one job after the other, each in a process of its own that goes on with the job's run. The process stops when this one is gone, however that came about: its standard
/// input ends. What was training then is the first to train again.
/// </summary>
public sealed class JobRunner(JobStore store, JobOptions options, TimeProvider clock, ILogger<JobRunner> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim changed = new(0);
    private readonly Lock gate = new();
    private readonly HashSet<string> begun = [];
    private (string Job, CancellationTokenSource Stop)? current;

    /// <summary>Looks at the jobs again: one has been added, or may go on.</summary>
    public void Wake() => changed.Release();

    /// <summary>Stops a job's process, if it has one. Where the job is to stand has been written before.</summary>
    public void Stop(string job)
    {
        lock (gate)
            if (current is { } running && running.Job == job) running.Stop.Cancel();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (store.Next() is { } job) await TrainAsync(job, stoppingToken).ConfigureAwait(false);
                else await changed.WaitAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is SqliteException or IOException or System.ComponentModel.Win32Exception)
            {
                // A full disk, or no process to be had: what has been written stays, and it is tried again.
                logger.LogError(error, "Jobs wait for {Seconds} s", RetryAfter.TotalSeconds);
                await Task.Delay(RetryAfter, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task TrainAsync(TrainingJob job, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        lock (gate) current = (job.Id, stop);
        try
        {
            // Whoever has paused or cancelled it in the meantime has been first.
            if (!store.Change(job.Id, [JobStatus.Queued, JobStatus.Running], JobStatus.Running, Beginning(job), clock.GetUtcNow())) return;
            var (code, error) = await RunFreeAsync(job, stop.Token).ConfigureAwait(false);
            if (stop.IsCancellationRequested) return; // it goes on later, or stands where it was put
            if (code == JobOptions.Again)
            {
                // A signal to all of the server's processes (Ctrl+C) reaches this one first, or that of a killed server had just begun: no failure of the run's.
                await Task.Delay(AgainAfter, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
            var now = clock.GetUtcNow();
            if (code == 0) store.Change(job.Id, [JobStatus.Running], JobStatus.Succeeded, $"finished; its run is {Path.GetFileName(job.Run)}", now);
            else store.Change(job.Id, [JobStatus.Running], JobStatus.Failed, $"failed: {error}", now, error);
        }
        finally
        {
            lock (gate) current = null;
        }
    }

    private string Beginning(TrainingJob job)
    {
        var first = begun.Add(job.Id);
        return job.Status != JobStatus.Running ? "training" : first ? "goes on after the server's end" : "goes on: its process had stopped";
    }

    private async Task<(int Code, string Error)> RunFreeAsync(TrainingJob job, CancellationToken stop)
    {
        try
        {
            await FreeAsync(new RunFolder(job.Run), stop).ConfigureAwait(false);
            return await RunAsync(job, stop).ConfigureAwait(false);
        }
        catch (Exception error) when (error is UserErrorException or UnauthorizedAccessException)
        {
            return (1, error.Message);
        }
        catch (DirectoryNotFoundException)
        {
            return (1, $"its run folder {job.Run} is gone; restore it and resume the job, or ask for a new one"); // trying again would hold up the others for ever
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return (1, "stopped");
        }
    }

    private async Task<(int Code, string Error)> RunAsync(TrainingJob job, CancellationToken stop)
    {
        var start = options.Start(job.Run);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError, start.UseShellExecute) = (true, true, true, false);
        using var process = Process.Start(start) ?? throw new IOException($"{start.FileName} could not be started");
        Yield(process);
        var errors = LastLineAsync(process.StandardError);
        using (stop.Register(process.StandardInput.Close))
        {
            var said = SayAsync(job, process.StandardOutput);
            await EndAsync(process, stop).ConfigureAwait(false);
            await said.ConfigureAwait(false);
        }
        return (process.ExitCode, await errors.ConfigureAwait(false) ?? $"the process ended with {process.ExitCode.ToString(CultureInfo.InvariantCulture)}");
    }

    // A training may warn for days: only the end says why it ended.
    private static async Task<string?> LastLineAsync(StreamReader errors)
    {
        string? last = null;
        while (await errors.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            if (line.Trim() is { Length: > 0 } text) last = text;
        return last;
    }

    // Answers come first.
    private static void Yield(Process process)
    {
        try
        {
            process.PriorityClass = ProcessPriorityClass.BelowNormal;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // it has ended already, or may not
        }
    }

    private async Task SayAsync(TrainingJob job, StreamReader output)
    {
        while (await output.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
        {
            try
            {
                if (line.Trim() is { Length: > 0 } text) store.Say(job.Id, text, clock.GetUtcNow());
            }
            catch (SqliteException error)
            {
                logger.LogError(error, "A line of {Job} could not be kept", job.Id); // the training goes on
            }
        }
    }

    private async Task EndAsync(Process process, CancellationToken stop)
    {
        try
        {
            await process.WaitForExitAsync(stop).ConfigureAwait(false);
            return;
        }
        catch (OperationCanceledException)
        {
            // told to stop: it has a while for it
        }
        using var patience = new CancellationTokenSource(options.Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    // Two processes on one run would write over each other: that of a killed server is on its way out, and is waited for.
    private async Task FreeAsync(RunFolder run, CancellationToken stop)
    {
        var deadline = Environment.TickCount64 + (long)options.Patience.TotalMilliseconds;
        IDisposable? free;
        while ((free = run.TryLock()) is null && Environment.TickCount64 < deadline) await Task.Delay(TimeSpan.FromMilliseconds(100), stop).ConfigureAwait(false);
        (free ?? run.Lock()).Dispose(); // which says why, where it is not free
    }
}
