namespace PluginHost.Runs.Decoding;

/// <summary>Jobs that no slot has taken yet, first come first served, and no more than a number. Safe for concurrent use.</summary>
internal sealed class WaitingJobs(int capacity)
{
    private readonly object gate = new();
    private readonly List<DecodeJob> jobs = [];
    private bool closed;

    public int Count
    {
        get
        {
            lock (gate) return jobs.Count;
        }
    }

    /// <summary>Whether there was room for it.</summary>
    /// <exception cref="ObjectDisposedException">Nobody takes jobs any more.</exception>
    public bool TryAdd(DecodeJob job)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, typeof(ContinuousBatch));
            if (jobs.Count >= capacity) return false;
            jobs.Add(job);
            Monitor.PulseAll(gate);
            return true;
        }
    }

    /// <summary>The next one, or null.</summary>
    public DecodeJob? Take()
    {
        lock (gate)
        {
            if (jobs.Count == 0) return null;
            var job = jobs[0];
            jobs.RemoveAt(0);
            return job;
        }
    }

    /// <summary>Takes out those that have been cancelled, wherever they stand.</summary>
    public IReadOnlyList<DecodeJob> TakeCancelled()
    {
        lock (gate)
        {
            if (!jobs.Exists(job => job.Cancelled)) return [];
            var cancelled = jobs.FindAll(job => job.Cancelled);
            jobs.RemoveAll(cancelled.Contains);
            return cancelled;
        }
    }

    /// <summary>Waits for a job unless the caller has other work; false once nobody may add one.</summary>
    public bool Await(bool busy)
    {
        lock (gate)
        {
            while (!closed && !busy && jobs.Count == 0) Monitor.Wait(gate);
            return !closed;
        }
    }

    public void Close()
    {
        lock (gate)
        {
            closed = true;
            Monitor.PulseAll(gate);
        }
    }
}
