namespace PluginHost.Runs.Decoding;

/// <summary>Jobs that no slot has taken yet, first come first served, and no more than a number. Safe for concurrent use.</summary>
internal sealed class WaitingJobs(int capacity)
{
    private readonly object gate = new();
    private readonly List<DecodeJob> jobs = [];
    private bool closed;
    private bool forget;

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

    /// <summary>Asks the caller of <see cref="Await"/> to let go of what is kept for prompts to come.</summary>
    public void Forget()
    {
        lock (gate)
        {
            forget = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Whether that has been asked since it was last looked at.</summary>
    public bool TakeForget()
    {
        lock (gate) return forget && !(forget = false);
    }

    /// <summary>Waits for a job, or something to forget, unless the caller has other work; false once nobody may add one.</summary>
    public bool Await(bool busy)
    {
        lock (gate)
        {
            while (!closed && !forget && !busy && jobs.Count == 0) Monitor.Wait(gate);
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
