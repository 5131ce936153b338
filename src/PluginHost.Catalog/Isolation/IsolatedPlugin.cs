using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using PluginHost.Catalog.Children;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Isolation;

/// <summary>
/// A plugin in a process of its own. Whatever it does there (crash, hang, eat memory) is one failed call; the next call finds a new
/// process. Calls are one at a time. Thread-safe.
/// </summary>
internal sealed class IsolatedPlugin : IDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RestartWindow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(100);
    private readonly PluginDescription plugin;
    private readonly IReadOnlyDictionary<string, object?> settings;
    private readonly PluginEvents events;
    private readonly Lock gate = new();
    private readonly Queue<long> starts = new();
    private Process? process;

    public IsolatedPlugin(PluginDescription plugin, IReadOnlyDictionary<string, object?> settings, PluginEvents events)
    {
        (this.plugin, this.settings, this.events) = (plugin, settings, events);
        if (IsolationRules.Refusal(plugin) is { } refusal) throw new UserErrorException(refusal);
        lock (gate) Start();
    }

    private IsolationLimits Limits => plugin.Isolation!;

    public T As<T>() where T : class => ForwardedCalls.To<T>(Call);

    public void Dispose()
    {
        lock (gate) End();
    }

    private object? Call(MethodInfo method, object?[] arguments)
    {
        var types = method.GetParameters().Select(parameter => parameter.ParameterType).ToArray();
        var packed = arguments.Select((value, i) => types[i] == typeof(CancellationToken) ? default : IsolationMessages.Pack(value, types[i])).ToArray();
        lock (gate)
        {
            if (process is null) Start();
            var reply = Ask(new IsolationCall(method.DeclaringType!.FullName!, method.Name, packed), Limits.CallTimeout, $"{method.Name} was called");
            Check(reply, $"being called ({method.Name})");
            return method.ReturnType == typeof(void) ? null : IsolationMessages.Unpack(reply.Result!.Value, method.ReturnType);
        }
    }

    private void Start()
    {
        while (starts.TryPeek(out var first) && Stopwatch.GetElapsedTime(first) > RestartWindow) starts.Dequeue();
        if (starts.Count > Limits.Restarts)
            throw Failure("being started", "ProcessLimit", $"its process was started {starts.Count} times within a minute, and is left alone until the minute is over");
        starts.Enqueue(Stopwatch.GetTimestamp());
        process = ChildProcess.Start([ChildProgram.Plugin], (long)Limits.MemoryMegabytes << 20, bare: true);
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        try
        {
            Check(Ask(new IsolationStart(plugin.Folder, Path.GetFileName(plugin.AssemblyPath), plugin.Id, new(settings)), StartTime, "it was started"), "being started");
        }
        catch
        {
            End();
            throw;
        }
        events.Publish(PluginEventKind.Loaded, plugin.Id, plugin.Version, string.Create(CultureInfo.InvariantCulture, $"in a process of its own, {process.Id}"));
    }

    private IsolationReply Ask<T>(T message, TimeSpan time, string when)
    {
        var child = process!;
        string? reason = null;
        var began = Stopwatch.GetTimestamp();
        var watch = new Timer(_ =>
        {
            var found = Stopwatch.GetElapsedTime(began) > time ? $"it took longer than {time.TotalSeconds:0.#} s" : Resident(child) > (long)Limits.MemoryMegabytes << 20 ? $"it holds more than {Limits.MemoryMegabytes} MB" : null;
            if (found is null) return;
            Interlocked.CompareExchange(ref reason, found, null);
            Kill(child);
        }, null, WatchEvery, WatchEvery);
        try
        {
            IsolationMessages.Write(child.StandardInput.BaseStream, message);
            var reply = IsolationMessages.Read<IsolationReply>(child.StandardOutput.BaseStream) ?? throw new EndOfStreamException();
            // Once it has run out of memory, or was about to be ended, its next call would suffer.
            if (!Unwatch() || reply.ErrorType == nameof(OutOfMemoryException)) End();
            return reply;
        }
        catch (IOException error)
        {
            Unwatch();
            Kill(child);
            child.WaitForExit();
            var cause = reason ?? (error is EndOfStreamException || child.ExitCode != 0 ? $"it ended with exit code {child.ExitCode}" : error.Message);
            End();
            throw Failure($"in a process of its own, after {when}", "ProcessEnded", $"{cause}; the next call starts it again");
        }

        // Waits for a look that is under way; false when it found the process beyond its limits.
        bool Unwatch()
        {
            using var done = new ManualResetEvent(false);
            if (watch.Dispose(done)) done.WaitOne();
            return reason is null;
        }
    }

    // A plugin's answer that it failed; the process is as good as before.
    private void Check(IsolationReply reply, string doing)
    {
        switch (reply.ErrorType)
        {
            case null: return;
            case nameof(UserErrorException): throw new UserErrorException(reply.Error!);
            case nameof(BadSampleException): throw new BadSampleException(reply.Error!);
            default: throw Failure(doing, reply.ErrorType, reply.Error!);
        }
    }

    private PluginFailedException Failure(string doing, string type, string message) => new(plugin.Id, doing, type, message, null);

    private void End()
    {
        if (process is null) return;
        Kill(process);
        process.Dispose();
        process = null;
    }

    private static long Resident(Process child)
    {
        try
        {
            child.Refresh();
            return child.WorkingSet64;
        }
        catch (InvalidOperationException)
        {
            return 0; // it has ended
        }
    }

    private static void Kill(Process child)
    {
        try
        {
            child.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // it has ended
        }
    }
}
