using Microsoft.Extensions.Logging;

namespace PluginHost.Catalog;

/// <summary>What happened to a plugin.</summary>
public enum PluginEventKind { Discovered, Inspected, Staged, Loaded, Activated, Swapped, Refused, Drained, Unloaded, Pinned, Faulted, Quarantined, Restored }

/// <summary>A step in the life of a plugin.</summary>
/// <param name="Time">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Id">Plugin id; the folder while no id is known.</param>
/// <param name="Version">Its version, or null while none is known.</param>
/// <param name="Detail">For a person to read.</param>
public sealed record PluginEvent(DateTimeOffset Time, PluginEventKind Kind, string Id, string? Version, string Detail);

/// <summary>The catalog's event stream. A new observer first gets what has happened so far (the last <see cref="Kept"/> events).</summary>
internal sealed partial class PluginEvents(ILogger logger) : IObservable<PluginEvent>
{
    private const int Kept = 1024;
    private readonly Lock gate = new();
    private readonly Queue<PluginEvent> past = new();
    private IObserver<PluginEvent>[] observers = [];

    public IDisposable Subscribe(IObserver<PluginEvent> observer)
    {
        PluginEvent[] missed;
        lock (gate)
        {
            missed = [.. past];
            observers = [.. observers, observer];
        }
        foreach (var item in missed) observer.OnNext(item);
        return new Subscription(this, observer);
    }

    public void Publish(PluginEventKind kind, string id, string? version, string detail)
    {
        var item = new PluginEvent(DateTimeOffset.UtcNow, kind, id, version, detail);
        LogEvent(logger, kind is PluginEventKind.Faulted or PluginEventKind.Quarantined ? LogLevel.Warning : LogLevel.Debug, kind, id, version, detail);
        IObserver<PluginEvent>[] current;
        lock (gate)
        {
            past.Enqueue(item);
            if (past.Count > Kept) past.Dequeue();
            current = observers;
        }
        foreach (var observer in current) observer.OnNext(item);
    }

    public void Complete()
    {
        IObserver<PluginEvent>[] current;
        lock (gate) (current, observers) = (observers, []);
        foreach (var observer in current) observer.OnCompleted();
    }

    [LoggerMessage(Message = "{Kind} {Id} {Version}: {Detail}")]
    private static partial void LogEvent(ILogger logger, LogLevel level, PluginEventKind kind, string id, string? version, string detail);

    private sealed class Subscription(PluginEvents events, IObserver<PluginEvent> observer) : IDisposable
    {
        public void Dispose()
        {
            lock (events.gate) events.observers = [.. events.observers.Where(item => item != observer)];
        }
    }
}
