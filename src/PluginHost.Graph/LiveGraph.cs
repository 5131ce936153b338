using System.Runtime.CompilerServices;

namespace PluginHost.Graph;

/// <summary>
/// The graph in use. Whoever acquires it keeps that version until it is given back, so that an exchange never changes anything under a
/// running step or a half-made answer. Thread-safe.
/// </summary>
public sealed class LiveGraph(ExecutableGraph graph) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Lock performing = new();
    private readonly Queue<PendingExchange> waiting = new();
    private GraphVersion current = new(graph);
    private bool stepping;

    /// <summary>A new version serves. Whoever keeps something of the old one lets go of it now; handlers do not throw.</summary>
    public event Action? Exchanged;

    /// <summary>What was planned for the version that new users get.</summary>
    public GraphPlan Plan
    {
        get { lock (gate) return current.Graph.Plan; }
    }

    /// <summary>The version that serves now, until the use is disposed.</summary>
    public GraphUse Acquire()
    {
        lock (gate) return new GraphUse(this, current.Enter());
    }

    /// <summary>Another use of the version that a use has, though a newer one may serve.</summary>
    public GraphUse Again(GraphUse use)
    {
        lock (gate) return new GraphUse(this, use.Version.Enter());
    }

    /// <summary>
    /// Builds another plan beside the serving version, lets a probe try it, and publishes it: at the next step while a trainer
    /// steps, else at once. Whatever fails leaves the old version serving.
    /// </summary>
    /// <param name="plan">The new plan.</param>
    /// <param name="probe">Throws when the new version does not work; a trainer uses its own.</param>
    public Task<GraphExchange> ExchangeAsync(GraphPlan plan, Action<ExecutableGraph> probe)
    {
        var pending = new PendingExchange(plan, probe, new TaskCompletionSource<GraphExchange>(TaskCreationOptions.RunContinuationsAsynchronously));
        using var alone = performing.EnterScope();
        bool now;
        lock (gate)
        {
            now = !stepping;
            if (!now) waiting.Enqueue(pending);
        }
        if (now) Perform(pending, probe);
        return pending.Result.Task;
    }

    /// <summary>Says that a trainer steps: exchanges wait for it to ask between two steps. One under way is waited for.</summary>
    /// <returns>Dispose it after the last step.</returns>
    public StepBoundaries BeginSteps()
    {
        using var alone = performing.EnterScope();
        lock (gate) stepping = true;
        return new StepBoundaries(this);
    }

    /// <summary>Releases the serving version; its nodes go when its last user has gone.</summary>
    public void Dispose()
    {
        bool unused;
        lock (gate) unused = current.Retire();
        if (unused) current.DisposeGraph();
    }

    internal void Leave(GraphVersion version)
    {
        bool last;
        lock (gate) last = version.Leave();
        if (last) version.DisposeGraph();
    }

    internal bool Exchange(Action<ExecutableGraph> probe)
    {
        var done = false;
        while (Next() is { } pending) done |= Perform(pending, probe);
        return done;

        PendingExchange? Next()
        {
            lock (gate) return waiting.TryDequeue(out var pending) ? pending : null;
        }
    }

    internal void EndSteps()
    {
        lock (gate) stepping = false;
        while (true)
        {
            PendingExchange? pending;
            lock (gate) if (!waiting.TryDequeue(out pending)) return;
            Perform(pending, pending.Probe);
        }
    }

    // Not inlined: a frame that goes on must not keep the old version's nodes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Perform(PendingExchange pending, Action<ExecutableGraph> probe)
    {
        using var alone = performing.EnterScope();
        try
        {
            var (next, state) = Build(pending, probe);
            GraphVersion old;
            bool unused;
            lock (gate)
            {
                (old, current) = (current, new GraphVersion(next));
                unused = old.Retire();
            }
            Exchanged?.Invoke();
            pending.Result.SetResult(new GraphExchange(state, old.Drained));
            if (unused) old.DisposeGraph();
            return true;
        }
        catch (Exception error)
        {
            pending.Result.SetException(error);
            return false;
        }
    }

    private (ExecutableGraph Graph, CarriedState State) Build(PendingExchange pending, Action<ExecutableGraph> probe)
    {
        using var use = Acquire();
        var (next, state) = use.Graph.Rebuild(pending.Plan);
        try
        {
            probe(next);
            return (next, state);
        }
        catch
        {
            next.Dispose();
            throw;
        }
    }

    private sealed record PendingExchange(GraphPlan Plan, Action<ExecutableGraph> Probe, TaskCompletionSource<GraphExchange> Result);
}

/// <summary>A published exchange.</summary>
/// <param name="State">What became of the weights.</param>
/// <param name="Drained">Ends when the last user of the old version has gone and its nodes are disposed.</param>
public sealed record GraphExchange(CarriedState State, Task Drained);

/// <summary>The right to run one version of a graph until it is disposed.</summary>
public sealed class GraphUse : IDisposable
{
    private readonly LiveGraph live;
    private GraphVersion? version;

    internal GraphUse(LiveGraph live, GraphVersion version) => (this.live, this.version) = (live, version);

    public ExecutableGraph Graph => Version.Graph;

    internal GraphVersion Version => version ?? throw new ObjectDisposedException(nameof(GraphUse));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref version, null) is { } held) live.Leave(held);
    }
}

/// <summary>A trainer's place between two steps, where exchanges happen.</summary>
public readonly struct StepBoundaries(LiveGraph live) : IDisposable
{
    /// <summary>Performs what has been asked for. Weights and generator are at rest now.</summary>
    /// <param name="probe">Throws when a new version does not work.</param>
    /// <returns>Whether the serving version has changed.</returns>
    public bool Exchange(Action<ExecutableGraph> probe) => live.Exchange(probe);

    public void Dispose() => live.EndSteps();
}

/// <summary>A graph with its users counted; guarded by the live graph's lock.</summary>
internal sealed class GraphVersion(ExecutableGraph graph)
{
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExecutableGraph? graph = graph;
    private int users;
    private bool retired;

    public ExecutableGraph Graph => graph ?? throw new ObjectDisposedException(nameof(LiveGraph));

    public Task Drained => drained.Task;

    public GraphVersion Enter()
    {
        users++;
        return this;
    }

    /// <returns>Whether the graph is to be disposed now.</returns>
    public bool Leave() => --users == 0 && retired;

    /// <returns>Whether the graph is to be disposed now.</returns>
    public bool Retire()
    {
        retired = true;
        return users == 0;
    }

    public void DisposeGraph()
    {
        var last = Interlocked.Exchange(ref graph, null);
        try
        {
            last?.Dispose();
            drained.TrySetResult();
        }
        catch (Exception error)
        {
            drained.TrySetException(error);
        }
    }
}
