using PluginHost.Config;

namespace PluginHost.Catalog.Health;

/// <summary>
/// Counts a plugin's calls and failures, and is the circuit breaker that keeps a failing plugin out. Thread-safe; a call costs two
/// reads of the clock and two interlocked additions.
/// </summary>
public sealed class PluginHealth
{
    private const int LongestBackoff = 64; // times the first one
    private readonly PluginDescription plugin;
    private readonly Func<QuarantineOptions> options;
    private readonly PluginEvents events;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private readonly Queue<long> recent = new();
    private long calls;
    private long failures;
    private long ticks;
    private long nativeBytes;

    // Set while in quarantine; everything below is guarded by the gate.
    private volatile string? reason;
    private long since;
    private TimeSpan? wait;
    private bool probing;
    private int backoffs = 1;

    internal PluginHealth(PluginDescription plugin, Func<QuarantineOptions> options, PluginEvents events, TimeProvider clock)
    {
        this.plugin = plugin;
        this.options = options;
        this.events = events;
        this.clock = clock;
    }

    /// <summary>To be called before each call of the plugin.</summary>
    /// <returns>When it began, for <see cref="End"/> or <see cref="Fail(long, string)"/>.</returns>
    /// <exception cref="PluginQuarantinedException">It is in quarantine; after the back-off one call is let through to try.</exception>
    public long Begin()
    {
        if (reason is not null) Probe();
        return clock.GetTimestamp();
    }

    /// <summary>A call has ended well.</summary>
    public void End(long began)
    {
        Count(began);
        if (reason is null) return;
        lock (gate)
            if (!probing || began < since) return; // a call from before the quarantine proves nothing
        Restore("a call went well");
    }

    /// <summary>A call has ended with a failure.</summary>
    /// <param name="began">What <see cref="Begin"/> returned.</param>
    /// <param name="message">What happened, for a person to read.</param>
    public void Fail(long began, string message)
    {
        Count(began);
        Fail(message);
    }

    /// <summary>A call has ended in a way that is not the plugin's fault: it was cancelled, or asked for something that cannot be.</summary>
    public void Abandon(long began)
    {
        Count(began);
        lock (gate) probing = false;
    }

    /// <summary>Refuses what is about to be done when the plugin is in quarantine.</summary>
    internal void Admit()
    {
        lock (gate)
            if (reason is not null && !Due()) throw Refusal();
    }

    /// <summary>The plugin failed outside of a call: while it was made or built, or in a thread of its own.</summary>
    /// <param name="message">What happened, for a person to read.</param>
    public void Fail(string message)
    {
        Interlocked.Increment(ref failures);
        events.Publish(PluginEventKind.Faulted, plugin.Id, plugin.Version, message);
        var rule = options();
        lock (gate)
        {
            var now = clock.GetTimestamp();
            recent.Enqueue(now);
            while (clock.GetElapsedTime(recent.Peek(), now) > rule.Window) recent.Dequeue();
            if (probing) backoffs = Math.Min(backoffs * 2, LongestBackoff);
            else if (reason is not null || recent.Count < rule.Failures) return;
            Close($"{rule.Failures} failures within {rule.Window.TotalSeconds:0.#} s, the last: {message}", rule.Backoff * backoffs);
        }
    }

    internal void Quarantine(string why)
    {
        lock (gate) Close(why, null);
    }

    internal void Restore(string why)
    {
        lock (gate)
        {
            if (reason is null) return;
            reason = null;
            probing = false;
            backoffs = 1;
            recent.Clear();
        }
        events.Publish(PluginEventKind.Restored, plugin.Id, plugin.Version, why);
    }

    /// <summary>Adds to the native memory that is held, or takes off it.</summary>
    internal void Hold(long bytes) => Interlocked.Add(ref nativeBytes, bytes);

    internal PluginTelemetry Read() => new(
        plugin.Id, plugin.Version, Interlocked.Read(ref calls), Interlocked.Read(ref failures),
        clock.GetElapsedTime(0, Interlocked.Read(ref ticks)), Interlocked.Read(ref nativeBytes), reason);

    private void Count(long began)
    {
        Interlocked.Increment(ref calls);
        Interlocked.Add(ref ticks, clock.GetTimestamp() - began);
    }

    private void Probe()
    {
        lock (gate)
        {
            if (reason is null) return;
            if (!Due()) throw Refusal();
            probing = true;
        }
    }

    private bool Due() => !probing && wait is { } time && clock.GetElapsedTime(since) >= time;

    private void Close(string why, TimeSpan? backoff)
    {
        (reason, since, wait, probing) = (why, clock.GetTimestamp(), backoff, false);
        events.Publish(PluginEventKind.Quarantined, plugin.Id, plugin.Version, why);
    }

    private PluginQuarantinedException Refusal() =>
        new(plugin.Id, reason!, wait is { } time ? clock.GetUtcNow() + (time - clock.GetElapsedTime(since)) : null);
}
