namespace PluginHost.Serving;

/// <summary>Whether the server takes requests, and how many it has. Safe for concurrent use.</summary>
public sealed class ServingState
{
    private volatile bool draining;
    private int open;

    /// <summary>Whether it only finishes what it has.</summary>
    public bool Draining => draining;

    /// <summary>Requests under way.</summary>
    public int Open => Volatile.Read(ref open);

    /// <summary>From now on new requests are refused, and open ones finish.</summary>
    public void Drain() => draining = true;

    /// <summary>Takes requests again.</summary>
    public void Resume() => draining = false;

    /// <summary>Counts a request until the result is disposed.</summary>
    internal IDisposable Enter()
    {
        Interlocked.Increment(ref open);
        return new Request(this);
    }

    private sealed class Request(ServingState state) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref state.open);
    }
}
